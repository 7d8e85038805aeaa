"""Files that hold weights: recognised by their content, read without running code from them, and what they
tell beside the weights."""

from splineviz.program.weight_files.facts import COUNTERS, Facts, facts_of
from splineviz.program.weight_files.folders import main_file
from splineviz.program.weight_files.formats import SUFFIXES, recognised
from splineviz.program.weight_files.reading import files_of, read_content, read_facts

__all__ = [
    "COUNTERS",
    "SUFFIXES",
    "Facts",
    "facts_of",
    "files_of",
    "main_file",
    "read_content",
    "read_facts",
    "recognised",
]
