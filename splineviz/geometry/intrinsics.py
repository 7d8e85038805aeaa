"""What the kernels need of the machine: sets of units as 64-bit words, and arrays without reference
counts."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["borrowed", "popcount", "trailing_zeros"]


@intrinsic
def popcount(typingctx: Any, word: Any) -> Any:
    """Number of set bits of a uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Index of the lowest set bit of a uint64 that is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


@intrinsic
def borrowed(typingctx: Any, arrays: Any) -> Any:
    """The same named tuple of arrays, without their owners; the caller keeps those alive.

    Every read of an array from a tuple counts a reference, atomically, and in inner loops that was most of
    the time. Arrays without an owner have nothing to count.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (value,) = args
        for i, kind in enumerate(signature.args[0].types):
            array = context.make_array(kind)(context, builder, builder.extract_value(value, i))
            array.meminfo = cgutils.get_null_value(array.meminfo.type)
            array.parent = cgutils.get_null_value(array.parent.type)
            value = builder.insert_value(value, array._getvalue(), i)
        return value

    return arrays(arrays), codegen
