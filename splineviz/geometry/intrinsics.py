"""Machine instructions that kernels need: bits of 64-bit words counted, arrays without reference counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["borrowed", "popcount", "trailing_zeros"]

T = TypeVar("T", bound=tuple[Any, ...])

if TYPE_CHECKING:  # as kernels call them; numba has no types

    def popcount(word: np.uint64) -> int: ...

    def trailing_zeros(word: np.uint64) -> int: ...

    def borrowed(arrays: T) -> T: ...

else:

    @intrinsic
    def popcount(typingctx: object, word: object) -> object:
        """Number of set bits of a uint64."""
        return types.int64(types.uint64), lambda context, builder, signature, args: builder.ctpop(args[0])

    @intrinsic
    def trailing_zeros(typingctx: object, word: object) -> object:
        """Index of the lowest set bit of a uint64 that is not 0."""
        zero_is_defined = ir.Constant(ir.IntType(1), 0)
        return types.int64(types.uint64), lambda context, builder, signature, args: builder.cttz(
            args[0], zero_is_defined
        )

    @intrinsic
    def borrowed(typingctx: object, arrays: object) -> object:
        """Named tuple of arrays, numbers, or such tuples, without the arrays' owners; the caller keeps those
        alive.

        Every read of an array from a tuple counts a reference, atomically, and in inner loops that was most
        of the time. Arrays without an owner have nothing to count.
        """

        def without_owner(context, builder, kind, value):
            if isinstance(kind, types.BaseTuple):
                for i, inner in enumerate(kind.types):
                    lent = without_owner(context, builder, inner, builder.extract_value(value, i))
                    value = builder.insert_value(value, lent, i)
                return value
            if not isinstance(kind, types.Array):
                return value
            array = context.make_array(kind)(context, builder, value)
            array.meminfo = cgutils.get_null_value(array.meminfo.type)
            array.parent = cgutils.get_null_value(array.parent.type)
            return array._getvalue()

        def codegen(context, builder, signature, args):
            return without_owner(context, builder, signature.args[0], args[0])

        return arrays(arrays), codegen
