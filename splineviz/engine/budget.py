"""Limits of memory, cells and time for an arrangement, and the batches in which its faces are worked off."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from splineviz.choices import Certify
from splineviz.geometry.refine import ROOM
from splineviz.geometry.subdivision import Subdivision
from splineviz.inputs import number_of_jobs, real_number, whole_number

if TYPE_CHECKING:
    from splineviz.values.propagation import Device

__all__ = ["Budget", "Effort", "Limits", "Resources", "divided", "share_of"]

_BATCH = 256 << 20  # bytes; smaller ones share more, and cost one worker as much as two gain by it
_MEMORY = 1 << 30  # bytes for one worker, at most
_SMALL = 16 << 20  # bytes; not worth a look at the memory that is free
_SHARE = 0.5  # of the memory that is free
_LEVELS = 4  # batches in the memory of one worker: one that grows is divided again while the larger one waits
_PARTS = 8  # batches that a batch that has become too large is divided into, at least
_GEOMETRY = 400  # bytes for a vertex, its share of faces, sides and edges, and what is worked out beside them
_FINE_ROOM = 64 << 20  # bytes in place of `ROOM` there: between groups of units is a place to end
_FINE = 4096  # vertices in a batch where only so many cells or so much time is allowed: whole batches count


class Resources(TypedDict, total=False):
    """Keywords of :func:`splineviz.arrange` that say what the work is done with."""

    jobs: int | None
    max_memory: int | None


class Effort(Resources, total=False):
    """Keywords of :func:`splineviz.arrange` that verbs on many arrangements pass on to each of them."""

    certify: Certify


class Limits(Effort, total=False):
    """Keywords of :func:`splineviz.arrange` that verbs on one window pass on."""

    max_cells: int | None
    seconds: float | None
    device: Device


@dataclass(frozen=True)
class Budget:
    """Limits of an arrangement. Batches depend on the memory alone, so that they are the same for any
    number of workers."""

    max_memory: int | None = None
    """Bytes of live values and of geometry in work, for all workers together; by default half of what is
    free"""
    max_cells: int | None = None
    deadline: float | None = None
    """On the clock of ``time.monotonic``"""
    jobs: int | None = None
    """Workers, -1 or None for all cores; fewer are used where memory does not suffice"""

    @classmethod
    def of(
        cls,
        max_memory: int | None = None,
        max_cells: int | None = None,
        seconds: float | None = None,
        jobs: int | None = None,
    ) -> Budget:
        """The budget that a caller asks for.

        Raises
        ------
        InputError
            If a number is not positive.
        """
        if max_memory is not None:
            max_memory = whole_number(max_memory, "max_memory", 1)
        if max_cells is not None:
            max_cells = whole_number(max_cells, "max_cells", 1)
        if seconds is not None:
            seconds = real_number(seconds, "seconds", above=0.0, infinite=True)
        deadline = None if seconds is None else time.monotonic() + seconds
        return cls(max_memory, max_cells, deadline, number_of_jobs(jobs))

    def __getstate__(self) -> dict[str, Any]:
        # The clock is that of one machine, what is left until the deadline travels as a time of day.
        state = dict(vars(self))
        if self.deadline is not None:
            state["deadline"] = self.deadline - time.monotonic() + time.time()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["deadline"] is not None:
            state = {**state, "deadline": state["deadline"] - time.time() + time.monotonic()}
        vars(self).update(state)

    @cached_property
    def total(self) -> int:
        if self.max_memory is not None:
            return self.max_memory
        import psutil

        return int(psutil.virtual_memory().available * _SHARE)

    @cached_property
    def memory(self) -> int:
        """Bytes for one worker."""
        return max(1, min(_MEMORY, self.total // 2))

    def bytes_for_maps(self) -> int:
        """Bytes for affine maps of faces that are kept, of either kind."""
        return self.memory // _LEVELS

    @property
    def room(self) -> int:
        """Bytes to set aside, mostly untouched, for what the units of one stage may leave of the faces."""
        room = _FINE_ROOM if self.limited else ROOM
        return room if self.max_memory is None else min(room, 4 * self.memory)

    @property
    def limited(self) -> bool:
        """True where only so many cells or so much time is allowed."""
        return self.max_cells is not None or self.deadline is not None

    @cached_property
    def workers(self) -> int:
        import joblib

        wanted = joblib.effective_n_jobs(-1) if self.jobs in (None, -1) else self.jobs or 1
        return max(1, min(wanted, self.total // self.memory))

    def batches(self, subdivision: Subdivision, values: int, held: int) -> list[tuple[int, int]]:
        """Runs of faces (first, last + 1) to go on with, one after the other; a single one where all of them
        fit.

        ``values`` are alive at each vertex until the next stage is done; ``held`` bytes are taken by batches
        that wait.
        """
        each = 8 * values + _GEOMETRY
        n_faces, need = len(subdivision.faces), each * len(subdivision.vertices)
        small = need <= _SMALL and self.max_memory is None and not self.limited
        if small or n_faces == 1:
            return [(0, n_faces)]
        room = min(_BATCH, (self.memory - held) / _LEVELS)
        if self.limited:
            room = min(room, each * min(_FINE, (self.max_cells or 8 * _FINE) // 8))
        if need <= room:
            return [(0, n_faces)]
        return divided(subdivision, int(np.ceil(need * _PARTS / max(room, 1.0))))

    def growth(self, values: int, held: int) -> int:
        """Number of vertices that a stage of maxima may add at once, if each needs so many values while it is
        worked on."""
        return int(
            max(_SMALL if self.max_memory is None else 0, (self.memory - held) / _LEVELS)
            / (8 * values + _GEOMETRY)
        )

    @staticmethod
    def within(runs: list[tuple[int, int]], n_faces: int, allowed: int | None) -> list[tuple[int, int]]:
        """The runs of the first faces that are allowed, where there are more; none where a single batch goes
        on.

        A face holds at least one cell, so that no other face can hold one of the first ``allowed``.
        """
        if allowed is None or n_faces <= allowed:
            return runs
        return [(first, min(last, allowed)) for first, last in runs or [(0, n_faces)] if first < allowed]


def share_of(max_memory: int | None, workers: int) -> int | None:
    """Bytes for each of so many arrangements that are in work at a time; None where no limit was asked for.

    Raises
    ------
    InputError
        If the limit is not positive.
    """
    limit = Budget.of(max_memory).max_memory
    return None if limit is None else max(1, limit // workers)


def divided(subdivision: Subdivision, n_parts: int = 0) -> list[tuple[int, int]]:
    """Runs of faces (first, last + 1), about as many as asked for and at least a few; of a single face one,
    else more."""
    # Faces are about as many as vertices, but where sides are many, so are these.
    n_faces, weight = (
        len(subdivision.faces),
        subdivision.faces.offsets / max(1, int(subdivision.faces.offsets[-1])),
    )
    n_parts = min(n_faces, max(_PARTS, n_parts))
    ends = np.unique(np.searchsorted(weight, np.arange(1, n_parts + 1) / n_parts, side="left"))
    if len(ends) == 1:
        ends = np.unique([max(1, n_faces // 2), n_faces])  # one face has nearly all sides
    return [(int(first), int(last)) for first, last in zip([0, *ends[:-1]], ends, strict=True)]
