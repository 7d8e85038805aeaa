"""The live tensors of a front on their way through nodes and to new vertices, in memory that is used again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from splineviz.arrangement.accelerator import Accelerator
from splineviz.arrangement.buffers import Buffers, rows_in_block, run_in_blocks
from splineviz.arrangement.live import Live
from splineviz.arrangement.maximal import among_maxima
from splineviz.arrangement.passing import after_affine, after_pointwise, extend
from splineviz.geometry.bends import NO_BENDS, Bends, bends_between, interpolate_products
from splineviz.geometry.excerpt import NO_BIRTH, Excerpt
from splineviz.geometry.extend import pin
from splineviz.geometry.refine import Refinement
from splineviz.program.devices import named_device
from splineviz.program.program import Affine, Maximum, Pointwise

__all__ = ["Carrier", "Device", "most_bends"]

Device = str | torch.device | None

_WIDE, _PER_BEND = 128, 8
"""Rows and columns from which on it pays to interpolate products, and those whose part of a product costs as much as one bend"""


def most_bends(n_out: int, n_in: int) -> int:
    """With how many bends a column of a matrix each costs less than a product with all of it; 0 if with none."""
    return min(n_out, n_in) // _PER_BEND if min(n_out, n_in) >= _WIDE else 0


@dataclass(frozen=True)
class Carrier:
    """Changes dictionaries of live tensors by slot, and knows whose memory is free."""

    buffers: Buffers = field(default_factory=Buffers)
    accelerator: Accelerator | None = None
    """Where products are taken, if not on the CPU"""

    @classmethod
    def on(cls, device: Device) -> Carrier:
        """One that takes products on a device; ``None`` is the CPU."""
        where = torch.device("cpu") if device is None else named_device(device)
        return cls(accelerator=None if where.type == "cpu" else Accelerator(where))

    def affine(self, live: dict[int, Live], node: Affine, born: np.ndarray, *, padded: bool) -> None:
        """Run an affine node; ``born`` is the `records.BIRTH` of the last vertices."""
        inputs = [live[k] for k in node.inputs]
        bends = self._bends(node, inputs, born, alone=padded)

        def run(node: Affine, *values: Tensor) -> tuple[Tensor, Tensor | None]:
            if len(bends.ends):
                return self._between(node, values[0], bends, padded=padded)
            return self._run(node, *values, padded=padded)

        live[node.output] = after_affine(node, inputs, run, bends)
        self._free(live, node)

    def pointwise(self, live: dict[int, Live], node: Pointwise) -> None:
        """Run a pointwise node; in place where nobody needs what entered it (each live tensor has its own storage by now)."""
        if node.output not in live:
            (slot,) = node.inputs
            z = live[slot]
            if slot in node.frees:
                values, storage = run_in_blocks(node.run, [z.values], lambda _: z.values), z.storage
            else:
                values, storage = self._run(node, z.values)
            live[node.output] = after_pointwise(node, z, values, storage)
        self._free(live, node)

    def to_vertices(
        self, live: dict[int, Live], refinement: Refinement, node: Pointwise, part: Excerpt | None = None
    ) -> dict[int, Live]:
        """What is still needed, at the vertices of a refinement by a node's units or of one part of it.

        relu is applied on the way, its output replacing its input where nobody else needs it. Carried to all vertices, tensors are
        given up one by one; a part leaves them for the others.
        """
        (slot,) = node.inputs
        again, fused, result = refinement.next_word is not None, _fused(node, refinement), {}
        birth = refinement.birth if part is None else part.birth
        n_old = len(part.vertices if part else refinement.subdivision.vertices) - len(birth)
        rows = np.arange(n_old) if part is None else part.vertices[:n_old]
        for key in list(live):
            before, here = live[key] if part else live.pop(key), key == slot
            if fused and here:
                result[node.output] = extend(before, rows, birth, self.buffers, relu=True)
            if not (fused and here and slot in node.frees):
                result[key] = extend(before, rows, birth, self.buffers, again=again and here)
            if part is None:
                self._release(live, before)
        place = None if part is None else _places(part.vertices, len(refinement.subdivision.vertices))
        for zeros in refinement.vanishing:
            own = zeros if place is None else _within(zeros, place)
            for key in {slot, node.output} & set(result) if len(own) else ():
                pin(result[key].flat, own, node.kinks)
                if not node.breaks_at_zero:
                    result[key].norm = None  # it may have grown
        return result

    def past_maxima(
        self, live: dict[int, Live], refinement: Refinement, node: Maximum, words: tuple[int, int], maxima: Live, rows: np.ndarray
    ) -> None:
        """What is still needed, at the vertices of a refinement by some maxima of a node, and these maxima themselves.

        ``rows`` are the vertices before.
        """
        (slot,) = node.inputs
        last = words[1] == -(-len(node.windows) // 64)
        for key in list(live):
            before = live.pop(key)
            if not last or key not in node.frees:
                again = key == node.output or (not last and key == slot)
                live[key] = extend(before, rows, refinement.birth, self.buffers, again=again, kept=refinement.kept)
            self._release(live, before)
        live[node.output] = among_maxima(node, words, maxima, live.get(node.output))

    def to_part(self, live: dict[int, Live], vertices: np.ndarray) -> dict[int, Live]:
        """The same at some vertices."""
        return {key: extend(x, vertices, NO_BIRTH, self.buffers, again=x.scale is not None) for key, x in live.items()}

    def release(self, live: dict[int, Live]) -> None:
        """Give all of it up."""
        for slot in list(live):
            self._release(live, live.pop(slot))

    def _run(self, node: Affine | Pointwise, *values: Tensor, padded: bool = False) -> tuple[Tensor, Tensor | None]:
        storages: list[Tensor] = []

        def take(shape: Sequence[int]) -> Tensor:
            out, storage = self.buffers.take(shape)
            storages.append(storage)
            return out

        result = self._anywhere(node, values, take, padded=padded)
        return result, storages[0] if storages else None

    def _anywhere(
        self, node: Affine | Pointwise, values: Sequence[Tensor], take: Callable[[Sequence[int]], Tensor], *, padded: bool
    ) -> Tensor:
        """Run a node on the accelerator or here; ``take`` gives the memory for what does not come with its own."""
        if self.accelerator is not None and isinstance(node, Affine) and len(values) == 1:
            product = self.accelerator.product(node, tuple(values[0].shape[1:]))
            if product is not None:
                return product.into(values[0], take((len(values[0]), *product.output_shape)))
        into = node.into if isinstance(node, Affine) else None
        return run_in_blocks(node.run, values, take, into=into, padded=padded)

    def _bends(self, node: Affine, inputs: Sequence[Live], born: np.ndarray, *, alone: bool) -> Bends:
        """Where it pays to interpolate products with the node's matrix; none where it does not."""
        if node.matrix is None or not len(born) or inputs[0].values.dim() != 2:
            return NO_BENDS
        most = most_bends(*node.matrix.shape)
        return bends_between(inputs[0].flat, inputs[0].norms(), born, most, alone=alone) if most else NO_BENDS

    def _between(self, node: Affine, values: Tensor, bends: Bends, *, padded: bool) -> tuple[Tensor, Tensor]:
        """The product with the node's matrix at the older vertices, and where too much bends; from there to all others."""
        out, storage = self.buffers.take((len(values), node.columns.shape[1]))
        n_old = len(values) - len(bends.ends)
        older = self._anywhere(node, [values[:n_old]], lambda _: out[:n_old], padded=padded)
        if older.data_ptr() != out.data_ptr():
            out[:n_old] = older
        direct = n_old + np.flatnonzero(bends.n_bent < 0)
        step = rows_in_block(values) if self.accelerator is None else len(direct)
        for start in range(0, len(direct), step or 1):
            rows = torch.from_numpy(direct[start : start + step])
            out[rows] = self._anywhere(node, [values[rows]], out.new_empty, padded=padded)
        interpolate_products(out.numpy(), node.columns, *bends)
        return out, storage

    def _free(self, live: dict[int, Live], node: Affine | Pointwise) -> None:
        for slot in node.frees:
            if slot in live:
                self._release(live, live.pop(slot))

    def _release(self, live: dict[int, Live], dead: Live) -> None:
        """Give the storage of a dead tensor back, unless a live one is a view of it."""
        if dead.storage is not None and all(other.storage is not dead.storage for other in live.values()):
            self.buffers.give(dead.storage)


def _fused(node: Pointwise, refinement: Refinement) -> bool:
    """Whether the node's output can be made while its input is carried to new vertices."""
    return refinement.next_word is None and node.is_relu


def _places(vertices: np.ndarray, n: int) -> np.ndarray:
    """(n,) the place of each of n vertices among these, -1 without."""
    place = np.full(n, -1)
    place[vertices] = np.arange(len(vertices))
    return place


def _within(zeros: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The rows with a vertex that has a place, by this place."""
    at = place[zeros["vertex"]]
    own: np.ndarray = zeros[at >= 0]
    own["vertex"] = at[at >= 0]
    return own
