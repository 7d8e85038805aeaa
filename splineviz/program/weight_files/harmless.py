"""Objects that people save beside weights: plain values and settings, which are read, or stood in for,
without running any code of theirs."""

from __future__ import annotations

import _compat_pickle
import io
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

from splineviz.program.weight_files.numpy_pickles import MAKERS

__all__ = ["Maker", "Unread", "allowed", "names_in"]


class Unread:
    """Stand-in for an object beside the weights, of which nothing is kept."""

    def __new__(cls, *_arguments: object, **_named: object) -> Unread:
        return super().__new__(cls)

    def __setstate__(self, _state: object) -> None:
        pass


class _Entries:
    """Stand-in for kinds of dicts: an ordinary one."""

    def __new__(cls, *_arguments: object) -> OrderedDict[object, object]:  # type: ignore[misc]
        return OrderedDict()


class _Items:
    """Stand-in for kinds of lists: an ordinary one."""

    def __new__(cls, *_arguments: object) -> list[object]:  # type: ignore[misc]
        return []


Maker = Callable[..., Any]

_DICTS = {
    "addict.addict.Dict",
    "collections.defaultdict",
    "easydict.EasyDict",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "mmcv.utils.config.ConfigDict",
    "mmengine.config.config.ConfigDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "yacs.config.CfgNode",
}
_LISTS = {"collections.deque"}
_PICKLES = 4
"""How many there are in a file of torch's format before zip archives, up to the content"""
_VALUES = {
    *(f"builtins.{name}" for name in ("bool", "dict", "float", "frozenset", "int", "list", "range", "slice")),
    *(f"builtins.{name}" for name in ("object", "str", "tuple")),
    "copyreg._reconstructor",
    "types.SimpleNamespace",
    "torch.torch_version.TorchVersion",
}
_SETTINGS = (
    "argparse.",
    "datetime.",
    "decimal.",
    "fractions.",
    "lightning.",
    "lightning_fabric.",
    "ml_collections.",
    "mmengine.logging.",
    "numpy.random.",
    "omegaconf.",
    "pathlib.",
    "pytorch_lightning.",
    "torch.nn.modules.loss.",
    "torch.optim.",
    "transformers.",
    "typing.",
    "uuid.",
)
"""Modules whose classes hold settings and dates, or what a trainer keeps beside the network"""


def allowed(names: Iterable[str]) -> dict[str, Maker]:
    """For each name that is harmless the object to read it as; others are left out."""
    found: dict[str, Maker] = {}
    for name in names:
        if name in MAKERS:
            found[name] = MAKERS[name]
        elif name in _DICTS:
            found[name] = _Entries
        elif name in _LISTS:
            found[name] = _Items
        elif name in _VALUES or name.startswith(_SETTINGS):
            found[name] = Unread
    return found


def names_in(path: Path) -> set[str]:
    """All classes and functions that what torch.save wrote names; none is imported."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return _named(file)
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.partition("/")[2] == "data.pkl"]
        return set().union(*(_named(io.BytesIO(archive.read(name))) for name in pickles))


def _named(stream: BinaryIO | io.BytesIO) -> set[str]:
    names: set[str] = set()
    for _ in range(_PICKLES):
        try:
            for operation, argument, _position in pickletools.genops(stream):
                if operation.name == "GLOBAL":
                    names.add(_as_called_today(*str(argument).split(" ", 1)))
        except ValueError:  # what follows is no pickle
            break
    return names


def _as_called_today(module: str, name: str) -> str:
    """The name of a class or function under Python 3, as torch translates it too."""
    known: dict[tuple[str, str], tuple[str, str]] = _compat_pickle.NAME_MAPPING
    if (module, name) in known:
        return ".".join(known[module, name])
    return f"{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}"
