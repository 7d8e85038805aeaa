"""The live tensors of a front on their way through nodes and to new vertices, in memory that is used
again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from splineviz.deadline import check_time
from splineviz.geometry.excerpt import NO_BIRTH, Excerpt
from splineviz.geometry.refine import Refinement
from splineviz.program.devices import named_device
from splineviz.program.program import Affine, Maximum, Pointwise
from splineviz.values.accelerator import Accelerator, Product
from splineviz.values.extension import pin
from splineviz.values.interpolated_products import (
    NO_DEVIATIONS,
    Deviations,
    deviations_between,
    interpolate_products,
)
from splineviz.values.memory import Buffers, rows_in_block, run_in_blocks
from splineviz.values.row_products import multiplied, multiply_rows
from splineviz.values.transfer import after_affine, after_pointwise, extend, steepest_slopes
from splineviz.values.vertex_values import VertexValues
from splineviz.values.window_maxima import among_maxima

__all__ = ["Device", "Propagator", "most_deviations"]

Device = str | torch.device | None

_WIDE, _PER_DEVIATION = 128, 8
"""Rows and columns from which on it pays to interpolate products, and those whose part of a product costs as
much as one deviation"""


def most_deviations(n_out: int, n_in: int) -> int:
    """Largest number of deviations for which columns of a matrix cost less than a product with all of it; 0
    where even one does not."""
    return min(n_out, n_in) // _PER_DEVIATION if min(n_out, n_in) >= _WIDE else 0


@dataclass(frozen=True)
class Propagator:
    """Changes dictionaries of live tensors by slot, and knows whose memory is free."""

    buffers: Buffers = field(default_factory=Buffers)
    accelerator: Accelerator | None = None
    """Device for products with weights, if not the CPU"""

    @classmethod
    def on(cls, device: Device) -> Propagator:
        """One that takes products on a device; ``None`` is the CPU."""
        where = torch.device("cpu") if device is None else named_device(device)
        return cls(accelerator=None if where.type == "cpu" else Accelerator(where))

    def affine_by(self, live: dict[int, VertexValues], node: Affine, run: Callable[[Tensor], Tensor]) -> None:
        """Run an affine node of one input by a function in place of its own."""
        live[node.output] = after_affine(node, [live[k] for k in node.inputs], lambda _, x: (run(x), None))
        self._free(live, node)

    def affine(
        self, live: dict[int, VertexValues], node: Affine, born: np.ndarray, shared: np.ndarray | None = None
    ) -> None:
        """Run an affine node; ``born`` is the `records.BIRTH` of the last vertices.

        A library may round a row in one way here and in another there, by its place in a block or by the size
        of that. So the rows of vertices that other batches have as well, ``shared``, are made of their own
        numbers alone: each batch finds the same. Without batches it is None.
        """
        inputs = [live[k] for k in node.inputs]
        deviations = self._deviations(node, inputs, born, alone=shared is not None)

        def run(node: Affine, *values: Tensor) -> tuple[Tensor, Tensor | None]:
            if len(deviations.ends) or (shared is not None and node.gain.kind == "dense"):
                return self._by_rows(node, values[0], deviations, shared)
            return self._run(node, *values)

        live[node.output] = after_affine(node, inputs, run, deviations)
        self._free(live, node)

    def pointwise(self, live: dict[int, VertexValues], node: Pointwise) -> None:
        """Run a pointwise node; in place where nobody needs what entered it (each live tensor has its own
        storage by now)."""
        if node.output not in live:
            (slot,) = node.inputs
            z = live[slot]
            slopes = None if z.proof is not None or z.scale is None else steepest_slopes(node, z.flat)
            if slot in node.frees:
                values, storage = run_in_blocks(node.run, [z.values], lambda _: z.values), z.storage
            else:
                values, storage = self._run(node, z.values)
            live[node.output] = after_pointwise(node, z, values, storage, slopes)
        self._free(live, node)

    def to_vertices(
        self,
        live: dict[int, VertexValues],
        refinement: Refinement,
        node: Pointwise,
        part: Excerpt | None = None,
    ) -> dict[int, VertexValues]:
        """Live tensors at the vertices of a refinement by a node's units, or of one part of it.

        relu is applied on the way, its output replacing its input where nobody else needs it. Carried to all
        vertices, tensors are given up one by one; a part leaves them for the others.
        """
        (slot,) = node.inputs
        fused, result = _fused(node, refinement), {}
        # relu leaves no error where it is off; of another function, entries may differ in slope for good.
        again = refinement.next_word is not None or not node.is_relu
        birth = refinement.birth if part is None else part.birth
        n_old = len(part.vertices if part else refinement.subdivision.vertices) - len(birth)
        rows = np.arange(n_old) if part is None else part.vertices[:n_old]
        for key in list(live):
            before, here = live[key] if part else live.pop(key), key == slot
            doubt = refinement.doubt if here else None
            if fused and here:
                result[node.output] = extend(before, rows, birth, self.buffers, doubt=doubt, relu=True)
            if not (fused and here and slot in node.frees):
                result[key] = extend(before, rows, birth, self.buffers, doubt=doubt, again=again and here)
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
        self,
        live: dict[int, VertexValues],
        refinement: Refinement,
        node: Maximum,
        words: tuple[int, int],
        maxima: VertexValues,
        rows: np.ndarray,
    ) -> None:
        """Carry live tensors to the vertices of a refinement by some maxima of a node, and these maxima
        themselves.

        ``rows`` are the vertices before.
        """
        (slot,) = node.inputs
        last = words[1] == -(-len(node.windows) // 64)
        for key in list(live):
            before = live.pop(key)
            if not last or key not in node.frees:
                again = key == node.output or (not last and key == slot)
                live[key] = extend(
                    before, rows, refinement.birth, self.buffers, again=again, kept=refinement.kept
                )
            self._release(live, before)
        live[node.output] = among_maxima(node, words, maxima, live.get(node.output))

    def to_part(self, live: dict[int, VertexValues], vertices: np.ndarray) -> dict[int, VertexValues]:
        """Live tensors at some of the vertices."""
        return {
            key: extend(x, vertices, NO_BIRTH, self.buffers, again=x.scale is not None)
            for key, x in live.items()
        }

    def release(self, live: dict[int, VertexValues]) -> None:
        """Give all of it up."""
        for slot in list(live):
            self._release(live, live.pop(slot))

    def _run(self, node: Affine | Pointwise, *values: Tensor) -> tuple[Tensor, Tensor | None]:
        storages: list[Tensor] = []

        def take(shape: Sequence[int]) -> Tensor:
            out, storage = self.buffers.take(shape)
            storages.append(storage)
            return out

        result = self._anywhere(node, values, take)
        return result, storages[0] if storages else None

    def _anywhere(
        self, node: Affine | Pointwise, values: Sequence[Tensor], take: Callable[[Sequence[int]], Tensor]
    ) -> Tensor:
        """Run a node on the accelerator or here; ``take`` gives the memory for what does not come with its
        own."""
        product = self._product(node, values)
        if product is not None:
            return product.into(values[0], take((len(values[0]), *product.output_shape)))
        return run_in_blocks(node.run, values, take, into=node.into if isinstance(node, Affine) else None)

    def _product(self, node: Affine | Pointwise, values: Sequence[Tensor]) -> Product | None:
        """The accelerator's product for a node; None where the node runs on the CPU."""
        if self.accelerator is None or not isinstance(node, Affine) or len(values) != 1:
            return None
        return self.accelerator.product(node, tuple(values[0].shape[1:]))

    def _deviations(
        self, node: Affine, inputs: Sequence[VertexValues], born: np.ndarray, *, alone: bool
    ) -> Deviations:
        """Deviations by which products with the node's matrix are interpolated; none where that does not
        pay."""
        if node.matrix is None or not len(born) or inputs[0].values.dim() != 2:
            return NO_DEVIATIONS
        most = most_deviations(*node.matrix.shape)
        return (
            deviations_between(inputs[0].flat, inputs[0].norms(), born, most, alone=alone)
            if most
            else NO_DEVIATIONS
        )

    def _by_rows(
        self, node: Affine, x: Tensor, deviations: Deviations, shared: np.ndarray | None
    ) -> tuple[Tensor, Tensor]:
        """A dense node at the older vertices, and where too much deviates; from there to all others."""
        width = node.run(x[:1]).shape[1:] if node.matrix is None else (*x.shape[1:-1], len(node.matrix))
        out, storage = self.buffers.take((len(x), *width))
        direct = np.concatenate(
            [np.ones(len(x) - len(deviations.ends), dtype=bool), deviations.n_deviating < 0]
        )
        if shared is not None:
            self._alone(node, x, shared[direct[shared]], out)
            direct[shared] = False
        self._some(node, x, np.flatnonzero(direct), out)
        if len(deviations.ends):
            interpolate_products(out.numpy(), node.columns, *deviations)
        return out, storage

    def _some(self, node: Affine, x: Tensor, rows: np.ndarray, out: Tensor) -> None:
        """Fill some rows of a node's result. Most are consecutive, as a rule: these are read and written
        where they are."""
        n = int(np.searchsorted(rows != np.arange(len(rows)), True))
        first = self._anywhere(node, [x[:n]], lambda _: out[:n]) if n else out
        if first.data_ptr() != out.data_ptr():
            out[:n] = first
        step = rows_in_block(x) if self.accelerator is None else len(rows)
        for start in range(n, len(rows), step or 1):
            check_time()
            some = torch.from_numpy(rows[start : start + step])
            _put(out, some, self._anywhere(node, [x.index_select(0, some)], out.new_empty))

    def _alone(self, node: Affine, x: Tensor, rows: np.ndarray, out: Tensor) -> None:
        """Fill some rows of a dense node's result, each from its own numbers alone: the same bits wherever it
        stands.

        Where no kernel of ours does it, calls with the same single row, at the beginning of memory of its
        own, have one result.
        """
        if node.matrix is not None and x.dim() == 2:
            multiply_rows(out.numpy(), x.contiguous().numpy(), rows, node.columns, node.row_constants)
            return
        product = self._product(node, [x])
        if product is not None:
            every = torch.from_numpy(rows)
            _put(out, every, product.alone(x.index_select(0, every)))
        elif node.by_products is not None:
            step = rows_in_block(x)
            for start in range(0, len(rows), step):
                check_time()
                some = torch.from_numpy(rows[start : start + step])
                _put(out, some, node.by_products(x.index_select(0, some), multiplied))
        else:
            for v in rows.tolist():
                check_time()
                out[v] = node.run(x[v : v + 1].clone())[0]

    def _free(self, live: dict[int, VertexValues], node: Affine | Pointwise) -> None:
        for slot in node.frees:
            if slot in live:
                self._release(live, live.pop(slot))

    def _release(self, live: dict[int, VertexValues], dead: VertexValues) -> None:
        """Give the storage of a dead tensor back, unless a live one is a view of it."""
        if dead.storage is not None and all(other.storage is not dead.storage for other in live.values()):
            self.buffers.give(dead.storage)


def _put(out: Tensor, rows: Tensor, values: Tensor) -> None:
    """Write values (some, *shape) to these rows: torch takes twice as long for it, and for ``out[rows]`` as
    for ``index_select``."""
    out.numpy()[rows.numpy()] = values.numpy()


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
