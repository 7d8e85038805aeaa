"""The operation table: every entry has a case, its nodes are what it says, and the README lists it."""

from __future__ import annotations

from pathlib import Path

import pytest

from splineviz.program import Affine
from splineviz.program.operations import OPERATIONS
from splineviz.program.operations.catalogue import with_operations

from .nets import CASES
from .nets_max import CASES as MAXIMA
from .test_operations import loaded

OTHER_NAMES = {
    "absolute": "abs",
    "clip": "clamp",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "min": "max",
    "_prelu_kernel": "prelu",
    "rrelu_with_noise_functional": "rrelu",
}
"""Operations whose stages go by the name of another."""

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_the_operations() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_operations(text) == text, "run make operations"


def test_marks_are_needed() -> None:
    with pytest.raises(ValueError, match="written by make operations"):
        with_operations("no marks here")


def test_nodes_are_what_their_entry_says() -> None:
    made: dict[str, set[str]] = {}
    for case in (*CASES, *MAXIMA):
        program = loaded(case)
        kinds = {stage.index: stage.kind for stage in program.stages}
        for node in program.nodes:
            if isinstance(node, Affine):
                made.setdefault(node.name, set()).add(node.gain.kind)
            else:
                made.setdefault(kinds[node.stage], set()).add("stage")
    for name, kinds_made in made.items():
        # an operation that broadcasts an argument first moves entries, whatever else it does
        assert kinds_made - {"layout"} <= set(OPERATIONS[name].makes.split()), name
    covered = set(made) | {
        name for name, entry in OPERATIONS.items() if not entry.makes or OTHER_NAMES.get(name) in made
    }
    assert set(OPERATIONS) <= covered, "an operation has no case"
