"""Points as people have them: arrays, tensors, pictures, tables, IDX files and data sets, read alike.

Points of any source are a :class:`Collection`; what is taken from it is :class:`Data`. Each family of files
has a module of its own, and `splineviz.data.formats` lists them.
"""

from __future__ import annotations

from splineviz.data.collection import Collection, Data
from splineviz.data.read import read_data, read_point_files

__all__ = ["Collection", "Data", "read_data", "read_point_files"]
