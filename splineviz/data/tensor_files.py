"""Files of tensors: ``.pt`` and ``.pth`` with a tensor, a tuple or a dict of them, and ``.safetensors``.

Nothing in a file is executed: of what is pickled only tensors and plain containers are read.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from splineviz.ceilings import check_archive, check_growth
from splineviz.data.values import as_array
from splineviz.errors import InputError
from splineviz.files import utf8_path
from splineviz.sizes import ensure_fits

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["safetensors_of", "tensors_of"]


def tensors_of(path: Path) -> Mapping[str, np.ndarray]:
    """Tensors of a file by name: one has none, a pair is ``x`` and ``y``, others have their place."""
    import torch

    mapped = zipfile.is_zipfile(path)
    if mapped:
        check_archive(path)
    else:
        _ensure_fits(path)
    try:
        # Indices that point outside of a sparse tensor would write there.
        with utf8_path(path) as readable, torch.sparse.check_sparse_tensor_invariants():  # type: ignore[no-untyped-call]
            content = torch.load(str(readable), map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"cannot read {path}: it holds more than tensors, or is damaged; objects are not read since they "
            "can run code",
            hint="torch.save(dataset.tensors, FILE), or give the data set as it is",
            command_hint="torch.save(dataset.tensors, FILE), or --data module:function for a data set itself",
        ) from error
    if isinstance(content, torch.Tensor):
        return {"": as_array(content)}
    if isinstance(content, Mapping):
        named: Mapping[str, Tensor] = {
            str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)
        }
    elif isinstance(content, tuple | list):
        named = _in_order(content, path)
    else:
        raise InputError(
            f"cannot read {path}: expected tensors, got {type(content).__name__}",
            hint="torch.save((points, labels), FILE)",
        )
    size = sum(value.numel() * value.element_size() for value in named.values())  # with all entries
    check_growth(path, size - path.stat().st_size)
    return {name: as_array(value) for name, value in named.items()}


def _in_order(content: tuple[object, ...] | list[object], path: Path) -> Mapping[str, Tensor]:
    """Tensors of a tuple by name; a longer list of tensors of one shape, or of pairs of such, is that of its
    points."""
    import torch

    pairs = [item for item in content if isinstance(item, tuple | list) and len(item) == 2]
    if len(pairs) == len(content) and content:  # (x, y) for each point
        return {"x": _stacked([x for x, _ in pairs], path), "y": torch.as_tensor([y for _, y in pairs])}
    tensors = [item for item in content if isinstance(item, torch.Tensor)]
    if len(tensors) != len(content) or not tensors:
        kinds = ", ".join(sorted({type(item).__name__ for item in content}))
        raise InputError(
            f"cannot read {path}: expected a tuple of tensors, got one of {kinds or 'nothing'}",
            hint="torch.save((points, labels), FILE)",
        )
    if len({tensor.shape for tensor in tensors}) == 1 and isinstance(content, list):
        return {"": _stacked(list(content), path)}
    if len(tensors) == 2:
        return dict(zip("xy", tensors, strict=True))
    return {str(place): tensor for place, tensor in enumerate(tensors)}


def _stacked(points: list[object], path: Path) -> Tensor:
    import torch

    tensors = [point for point in points if isinstance(point, torch.Tensor)]
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(tensors) != len(points) or len(shapes) != 1:
        raise InputError(
            f"cannot read {path}: its points are not tensors of one shape",
            hint="torch.save(torch.stack(points), FILE)",
        )
    return torch.stack(tensors)


def safetensors_of(path: Path) -> Mapping[str, np.ndarray]:
    """Tensors of a file by name."""
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise InputError(
            f"reading {path} needs the package safetensors", hint="pip install 'splineviz[safetensors]'"
        ) from error
    _ensure_fits(path)
    with utf8_path(path) as named:
        return {name: as_array(value) for name, value in load_file(named).items()}


def _ensure_fits(path: Path) -> None:
    ensure_fits((path.stat().st_size,), 1, str(path), hint="save fewer points in a file")
