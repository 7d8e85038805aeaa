"""Torch's operations pickled by name, so that programs can travel to other processes. Their closures are for
cloudpickle."""

from __future__ import annotations

import copyreg
from typing import Any

import torch
from torch._ops import OpOverload, OpOverloadPacket

__all__ = ["operation_named"]


def operation_named(name: str, overload: str | None = None) -> Any:
    """The operation of a name like ``aten::relu``, or one of its overloads.

    Examples
    --------
    >>> operation_named("aten::relu", "default") is torch.ops.aten.relu.default
    True
    """
    namespace, _, rest = name.partition("::")
    packet = getattr(getattr(torch.ops, namespace), rest)
    return packet if overload is None else getattr(packet, overload)


def _of_overload(operation: OpOverload[Any, Any]) -> tuple[Any, tuple[str, str]]:
    return operation_named, (operation._schema.name, operation._overloadname)


def _of_packet(operation: OpOverloadPacket[Any, Any]) -> tuple[Any, tuple[str]]:
    return operation_named, (operation._qualified_op_name,)


copyreg.pickle(OpOverload, _of_overload)
copyreg.pickle(OpOverloadPacket, _of_packet)
