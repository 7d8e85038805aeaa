"""Sizes that tensors would have, held to a limit before they are made."""

from __future__ import annotations

import math
from collections.abc import Mapping

from onnx import NodeProto

from splineviz.ceilings import NUMBERS
from splineviz.errors import InputError
from splineviz.program.onnx.node import Value
from splineviz.program.onnx.stand_in import inferred

__all__ = ["Growth"]


class Growth:
    """Numbers that the nodes of a graph have made of constants."""

    def __init__(self) -> None:
        self._made = 0

    def check(self, proto: NodeProto, opset: int, known: Mapping[str, Value]) -> None:
        """Refuse a node whose result would be too large.

        Raises
        ------
        InputError
            Naming the node, what it would make, and the limit.
        """
        values = known.values()
        if any(value.lost for value in values):
            return
        size = sum(math.prod(shape) for shape in inferred(proto, opset, known).values())
        # a constant that is stored in the node itself is at least as many bytes
        grown = max(0, size - sum(math.prod(value.shape) for value in values) - proto.ByteSize())
        active = any(value.active for value in values)
        if not active:
            self._made += grown
        reached = size if active else self._made
        if grown and reached > NUMBERS.most:
            what = "for one input" if active else "of constants"
            raise InputError(
                f"the node '{proto.name or proto.output[0]}' ({proto.op_type}) would make {size:,} numbers "
                f"{what}; the limit is {NUMBERS.most:,}",
                hint=NUMBERS.hint(reached),
            )
