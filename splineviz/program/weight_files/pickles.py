"""Pickles, by torch.save or by themselves, read without running any code in them."""

from __future__ import annotations

import codecs
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import NoReturn

import torch

from splineviz.errors import InputError
from splineviz.files import utf8_path
from splineviz.program.weight_files.formats import unreadable
from splineviz.program.weight_files.harmless import Maker, allowed, names_in
from splineviz.program.weight_files.numpy_pickles import resolved
from splineviz.program.weights import some

__all__ = ["read_pickle", "read_torch"]

_ONE_AT_A_TIME = Lock()
"""torch's list of what is allowed is one for all threads"""
_BUILTIN = "torch.nn.modules."
_OF_TENSORS = {
    "_codecs",
    "collections",
    "torch",
    "torch._tensor",
    "torch._utils",
    "torch.nn.parameter",
    "torch.storage",
}
"""Modules of what torch reads anyway"""


def read_torch(path: Path, *, lazy: bool) -> object:
    """Content of a file that torch.save wrote; ``lazy`` tensors are read from the file when they are used.

    Raises
    ------
    InputError
        If it holds objects that are neither tensors nor harmless, or cannot be read.
    """
    # a lazy map is let go before anyone could cut the file short under it
    mapped = lazy and zipfile.is_zipfile(path)
    try:
        return _loaded(path, mapped)
    except pickle.UnpicklingError:
        names = names_in(path)
    except Exception as error:
        raise unreadable(path, "torch", error) from error
    harmless: list[Maker | tuple[Maker, str]] = [(found, name) for name, found in allowed(names).items()]
    try:
        with _ONE_AT_A_TIME, torch.serialization.safe_globals(harmless):
            return resolved(_loaded(path, mapped))
    except pickle.UnpicklingError as error:
        _refuse(path, _unsafe(names), error)
    except Exception as error:
        raise unreadable(path, "torch", error) from error


def _loaded(path: Path, mapped: bool) -> object:
    # indices that point outside of a sparse tensor would write there
    with utf8_path(path) as named, torch.sparse.check_sparse_tensor_invariants():  # type: ignore[no-untyped-call]
        return torch.load(named, map_location="cpu", weights_only=True, mmap=mapped)


def read_pickle(path: Path) -> object:
    """Content of a pickle of arrays.

    Raises
    ------
    InputError
        If it holds objects that are neither arrays nor harmless, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return resolved(_OfArrays(file).load())
    except _NotAllowedError as error:
        _refuse(path, [str(error)], error)
    except Exception as error:
        raise unreadable(path, "pickle", error) from error


_PLAIN: dict[str, Maker] = {
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": codecs.encode,
    "builtins.set": set,
}


class _NotAllowedError(Exception):
    """Names a class or function that is not allowed."""


class _OfArrays(pickle.Unpickler):
    """Makes nothing but plain values, arrays, and stand-ins for what is harmless."""

    def find_class(self, module: str, name: str) -> object:
        full = f"{module}.{name}"
        found = _PLAIN | allowed([full])
        if full not in found:
            raise _NotAllowedError(full)
        return found[full]


def _unsafe(names: set[str]) -> list[str]:
    """Names that stand in the way, those of the user's own classes first."""
    others = names - allowed(names).keys() - _PLAIN.keys()
    unsafe = {name for name in others if name.rpartition(".")[0] not in _OF_TENSORS}
    return sorted(unsafe, key=lambda name: (name.startswith("torch."), name))


def _refuse(path: Path, unsafe: list[str], error: Exception) -> NoReturn:
    more, why = f"'{path}' holds more than tensors", "which is not read since it can run code"
    aside = path.with_name(f"{path.name.partition('.')[0]}-weights.pt")
    load = f"torch.load({str(path)!r}, weights_only=False)"
    if not unsafe:
        raise InputError(
            f"'{path}' is pickled in a way (by another protocol than 2, perhaps) that is not read safely",
            hint="write it again, if you trust it:",
            code=[f"torch.save({load}, {str(aside)!r})"],
        ) from error
    if any(name.startswith(_BUILTIN) for name in unsafe):
        raise InputError(
            f"{more}, a whole pickled model ({some(unsafe)}), {why}",
            hint="convert it, if you trust it:",
            code=[f"model = {load}", f"torch.save(model.state_dict(), {str(aside)!r})"],
        ) from error
    keyed = f"torch.save(content['state_dict'], {str(aside)!r})  # or under which key they are"
    raise InputError(
        f"{more} and plain settings ({some(unsafe)}), {why}",
        hint="save the weights alone, if you trust it:",
        code=[f"content = {load}", keyed],
    ) from error
