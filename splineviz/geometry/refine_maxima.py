"""Refine a subdivision by maxima: cut where the two largest candidates of a window tie, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from splineviz.geometry.answers import ExactAnswers
from splineviz.geometry.candidate_rounds import (
    IN_WORK,
    Entries,
    EntryErrors,
    Signs,
    Turn,
    compare_candidates,
    interpolate_entries,
    label_edges,
    largest_after,
    winners_after,
)
from splineviz.geometry.merging import merge_faces
from splineviz.geometry.predicates import TINY
from splineviz.geometry.records import BIRTH, VANISHING
from splineviz.geometry.refine import Kinds, Proof, Refinement, UncertainError, refine
from splineviz.geometry.rounding import FLOOR, SAFE
from splineviz.geometry.subdivision import Subdivision

__all__ = ["NO_LIMIT", "Births", "Candidates", "Maxima", "Proven", "among_winners", "refine_by_maxima"]

NO_LIMIT = 1 << 62
"""Bytes or vertices"""

_NOTHING = np.empty(0)
_NO_TIES = np.empty(0, VANISHING)


@dataclass(frozen=True, eq=False)
class Births:
    """The middle of a stage of maxima: births of its vertices, and the faces and winners there are."""

    born: np.ndarray
    """`records.BIRTH` of all new vertices so far; their ends count these after the old ones"""
    counts: tuple[int, ...]
    """Number of vertices that each round made"""
    kept: Int64[np.ndarray, "vertex"]
    """The vertices that remain, likewise"""
    subdivision: Subdivision
    parent: Int64[np.ndarray, "face"]
    """The face before all rounds that each face was cut from"""
    winners: UInt64[np.ndarray, "face plane*word"]


@dataclass(frozen=True, eq=False)
class Proven:
    """Proven errors of the entries whose maxima are taken, and whom to ask for the rest."""

    slack: Float64[np.ndarray, "vertex"]
    """``x[v, i]`` is within ``scale[i] * slack[v]`` of the exact value at the vertex's nominal place; all
    scales are the same"""
    norm: Float64[np.ndarray, "vertex"]
    """Likewise, of the whole row"""
    sure: bool
    """Whether entries that are 0.0 are exactly zero"""
    judges: Callable[[Births], ExactAnswers] | None
    """For the round after these births; None if nobody can tell"""
    renewable: bool = False
    """As in `Proof`; of the vertices before all rounds"""


class Candidates(NamedTuple):
    """Entries whose maxima are taken, affine on every face, with their errors."""

    x: Float64[np.ndarray, "vertex entry"]
    scale: Float64[np.ndarray, "entry"]
    slack: Float64[np.ndarray, "vertex"]
    """The error of ``x[v, i]`` is estimated as ``scale[i] * slack[v]``"""
    error: Float64[np.ndarray, "vertex"]
    """Estimated error of the row"""
    proven: Proven | None = None
    """With it, no decision rests on an estimate but those that nobody can tell"""
    kinds: Kinds | None = None
    """Of windows: those with one number compare the same in every round"""


@dataclass(frozen=True, eq=False)
class Maxima:
    """Refinement on whose faces every window has one winner, and the maxima at its vertices.

    In ``refinement.on`` the winner of window w on a face is a number of ``planes`` bits: bit b is bit w of
    the b-th row of ``on[face].reshape(planes, -1)``.
    """

    refinement: Refinement
    values: Float64[np.ndarray, "vertex window"]
    error: Float64[np.ndarray, "vertex"]
    """Estimated distance of the candidates from exact arithmetic, all entries as one vector"""
    slack: Float64[np.ndarray, "vertex"]
    """Estimated, entry by entry: times the largest scale of a window's candidates it is the maximum's"""
    proof: Float64[np.ndarray, "vertex"]
    """Proven, all entries as one vector; empty where nothing is"""
    proven_slack: Float64[np.ndarray, "vertex"]
    """Proven, entry by entry; likewise"""


def refine_by_maxima(
    subdivision: Subdivision,
    candidates: Candidates,
    windows: Int64[np.ndarray, "window candidate"],
    rounds: Int64[np.ndarray, "round window"],
    stage: int,
    first_unit: int = 0,
    room: int = NO_LIMIT,
    most: int = NO_LIMIT,
) -> Maxima | None:
    """Cut every face where the two largest candidates of a window tie.

    Candidates enter one after the other: each round cuts along the zero set of (candidate - largest so far),
    which is affine on every face, and then joins the faces between which it left no difference. So there are
    never two lines through a point by construction alone, as there would be among all pairs of three
    candidates. Ties belong to the lowest candidate: two that are equal on a whole face have no edge there.

    Decisions are those of `refine`. Ties of two values that are the same bit for bit are not counted as open:
    entries that were cut off at zero are, and so are entries that several windows share and copies.

    Parameters
    ----------
    candidates
        The entries and their errors.
    windows
        Entries of each window in the order in which ties prefer them, -1 for none; at least one each.
    rounds
        The place in its window of the candidate that enters in each round, -1 for none. An entry
        enters all its windows in one round, so that what two windows compare alike is compared at one time.
    stage, first_unit
        Recorded as the origin of new edges: the windows are units of this stage, from that one on.
    room, most
        Bytes for the pieces that pairs of windows may leave in one round, and how many vertices may be made
        in all.

    Returns
    -------
    None where that does not suffice. Then fewer faces or fewer windows may do: the result is that of each
    face by itself.

    Raises
    ------
    UncertainError
        As `refine` does, about vertices of ``subdivision``.
    """
    work = _Rounds(subdivision, candidates, windows)
    if all(work.go(place, room, most) for place in rounds):
        return work.result(stage, first_unit)
    return None


class _Rounds:
    """State between two rounds: the subdivision, the winners on its faces, the largest candidate so far of
    every window at its vertices, and the entries."""

    def __init__(
        self, subdivision: Subdivision, candidates: Candidates, windows: Int64[np.ndarray, "window candidate"]
    ) -> None:
        x, self.scale, slack, error, self.proven, self.kinds = candidates
        (n_windows, k), proven = windows.shape, self.proven
        self.windows, self.n_old, self.words = windows, len(x), max(1, (n_windows + 63) // 64)
        self.entries = Entries(np.ascontiguousarray(x), np.empty((0, x.shape[1])), np.arange(len(x)))
        proofs = (_NOTHING, _NOTHING) if proven is None else (proven.slack.copy(), proven.norm.copy())
        self.errors = EntryErrors(slack.copy(), error.copy(), *proofs)
        largest = np.where(windows >= 0, self.scale[windows], 0.0).max(1, initial=0.0)
        # The difference of two entries errs by the root of the sum of two squares, at worst by the sum.
        self.unit_scale = (np.sqrt(2.0) if proven is None else 2.0) * largest
        self.top, self.entered = np.zeros((len(x), n_windows)), np.zeros(n_windows, bool)
        self.highest = np.full(n_windows, -1)
        self.sub, self.parent = subdivision, np.arange(len(subdivision.faces))
        n_planes = max(1, (k - 1).bit_length())
        self.winners = np.zeros((len(subdivision.faces), n_planes * self.words), np.uint64)
        self.first_part = np.arange(len(subdivision.edges) + 1)
        self.births: list[np.ndarray] = []
        self.counts: list[int] = []
        self.decisions = self.open = self.zeros = self.re_evaluated = 0

    def go(self, place: Int64[np.ndarray, "window"], room: int, most: int) -> bool:
        """Let one candidate enter every window; returns whether ``room`` and ``most`` suffice."""
        entries = np.where(place >= 0, self.windows[np.arange(len(place)), place], -1)
        turn = Turn(place, entries, np.argsort(entries, kind="stable"), self.entered)
        sure = self.proven is not None and self.proven.sure
        in_faces = np.zeros(len(self.sub.vertices), bool)
        in_faces[self.sub.faces.values] = True
        z, equal, doubtful = compare_candidates(
            self.entries, turn, self.top, self.unit_scale, self.errors, sure, in_faces
        )
        uncut, birth, ties = self.sub.faces, np.empty(0, BIRTH), _NO_TIES
        parent, on = np.arange(len(uncut)), np.full((len(uncut), self.words), ~np.uint64(0))
        if self.entered.any():
            slack = self.errors.slack[self.entries.row_of]
            by_chance = np.flatnonzero(z == TINY)  # equal bit for bit, and perhaps not in exact arithmetic
            cut = self._refine(z, slack, room)
            if cut.next_word is not None or sum(self.counts) + len(cut.birth) > most:
                return False
            self.sub, parent, on, birth = cut.subdivision, cut.parent, cut.on, cut.birth
            ties = np.concatenate([rows[["vertex", "unit"]].astype(VANISHING) for rows in cut.vanishing])
            self.decisions += cut.decisions
            self.open += cut.open - (cut.identical + doubtful if self.proven is None else 0)
            self.zeros += cut.zeros - (equal - int(np.count_nonzero(z.reshape(-1)[by_chance])))
            self.re_evaluated += cut.re_evaluated
            self.first_part = cut.first_part[self.first_part]
            self._amend(cut.moved)
        if len(birth):
            self._extend(birth)
        self.counts.append(len(birth))
        watch = bool((self.entered & (place >= 0) & (place < self.highest)).any())
        self.winners = winners_after(self.winners, parent, on, turn, z, uncut.offsets, uncut.values, watch)
        self.parent = self.parent[parent]
        signs = Signs(z, self.sub.faces.offsets, self.sub.faces.values, on)
        kept = self._merge()
        proven = self.proven is not None
        self.top = largest_after(self.entries, turn, self.top, signs, birth, ties, kept, self.scale, proven)
        self.entries = self.entries._replace(row_of=self.entries.row_of[kept])
        self.entered = self.entered | (place >= 0)
        self.highest = np.maximum(self.highest, place)
        return True

    def _refine(
        self, z: Float64[np.ndarray, "vertex window"], slack: Float64[np.ndarray, "vertex"], room: int
    ) -> Refinement:
        """Cut by differences of candidates."""
        proof = self._proof()
        try:
            return refine(
                self.sub, z, self.unit_scale, slack, IN_WORK, room=room, proof=proof, kinds=self.kinds
            )
        except UncertainError as uncertain:
            rows = self.entries.row_of[uncertain.vertices]
            if (rows < self.n_old).any():
                raise UncertainError(rows[rows < self.n_old]) from None
            assert proof is not None
            answers = replace(proof, renewable=False)
            return refine(
                self.sub, z, self.unit_scale, slack, IN_WORK, room=room, proof=answers, kinds=self.kinds
            )

    def _proof(self) -> Proof | None:
        """Proof of the differences that the next cut is made by."""
        if self.proven is None:
            return None
        kept, judges = self.entries.row_of, self.proven.judges
        exact = (
            None
            if judges is None
            else judges(
                Births(_joined(self.births), tuple(self.counts), kept, self.sub, self.parent, self.winners)
            )
        )
        return Proof(self.errors.proven_slack[kept], True, exact, self.proven.renewable)

    def _amend(self, moved: Float64[np.ndarray, "vertex 2"]) -> None:
        """Count as errors by how much a maximum may be off where a tie was found, or another winner than by
        values."""
        if moved.any():
            rows, (norm, share) = self.entries.row_of, 2.0 * SAFE * moved.T
            self.errors.slack[rows] += share
            self.errors.whole[rows] = np.hypot(self.errors.whole[rows], norm)
            if self.proven is not None:
                self.errors.proven_slack[rows] += share
                self.errors.proof[rows] += norm + FLOOR

    def _extend(self, birth: np.ndarray) -> None:
        """Interpolate the entries, and their errors, at vertices that were just born."""
        base, fresh, row_of = self.entries
        n_born, n_new = sum(self.counts), len(birth)
        rows = np.concatenate([row_of, len(base) + n_born + np.arange(n_new)])
        born = birth.copy()
        born["a"], born["b"] = rows[birth["a"]], rows[birth["b"]]
        if n_born + n_new > len(fresh):
            grown = np.empty((2 * (n_born + n_new), base.shape[1]))
            grown[:n_born] = fresh[:n_born]
            fresh = grown
        self.entries, room = Entries(base, fresh, rows), np.empty(n_new)
        slack, whole, proven_slack, proof = self.errors
        proofs = [proven_slack, proof]
        if self.proven is not None:
            proofs = [np.concatenate([values, room]) for values in proofs]
        self.errors = EntryErrors(*(np.concatenate([values, room]) for values in (slack, whole)), *proofs)
        interpolate_entries(self.entries, n_born, born, self.scale, self.errors)
        self.births.append(born)

    def _merge(self) -> Int64[np.ndarray, "kept"]:
        """Drop edges of this stage whose two faces have the same winners; returns the vertices that are
        left."""
        if self.first_part[-1] == len(self.sub.edges):
            return np.arange(len(self.sub.vertices))
        arrays, self.parent, self.winners, self.first_part, kept, n_apart = merge_faces(
            self.sub.arrays(), self.parent, self.winners, self.n_old, self.first_part
        )
        self.sub = Subdivision.from_arrays(arrays)
        self.open += int(n_apart)
        return kept

    def result(self, stage: int, first_unit: int) -> Maxima:
        """The refinement after all rounds; its windows are units of ``stage`` from ``first_unit`` on."""
        sub, kept, errors = self.sub, self.entries.row_of, self.errors
        edge_source, rivals, shared = label_edges(
            sub.edge_faces(),
            self.winners,
            self.words,
            sub.edge_source,
            sub.rivals,
            sub.shared,
            self.first_part[-1],
            stage,
            first_unit,
        )
        refinement = Refinement(
            subdivision=replace(sub, edge_source=edge_source, rivals=rivals, shared=shared),
            parent=self.parent,
            on=self.winners,
            birth=_joined(self.births),
            first_part=self.first_part,
            vanishing=(_NO_TIES, _NO_TIES),
            decisions=self.decisions,
            re_evaluated=self.re_evaluated,
            open=self.open,
            identical=0,
            zeros=self.zeros,
            moved=np.zeros((self.n_old, 2)),  # counted in the errors of the maxima
            doubt=np.zeros(self.n_old),
            largest_bound=float(self.unit_scale.max(initial=0.0) * errors.proven_slack.max(initial=0.0)),
            kept=kept,
            turns=tuple(self.counts),
        )
        proofs = errors.proof, errors.proven_slack
        if self.proven is not None:
            proofs = errors.proof[kept], errors.proven_slack[kept]
        return Maxima(refinement, self.top, errors.whole[kept], errors.slack[kept], *proofs)


def _joined(births: list[np.ndarray]) -> np.ndarray:
    """Births of all rounds so far, one after the other."""
    return np.concatenate([np.empty(0, BIRTH), *births])


def among_winners(
    group: Refinement, before: np.ndarray | None, words: tuple[int, int], n_words: int
) -> Refinement:
    """Refinement by some windows of a stage, those in ``words`` of ``n_words``, with the winners of all that
    have cut so far.

    ``before`` has the winners of the earlier windows, (F before, planes * n_words).
    """
    first, last = words
    if first == 0 and last == n_words:
        return group
    own = group.on.reshape(len(group.on), -1, last - first)
    winners = np.zeros((len(own), own.shape[1], n_words), np.uint64)
    if before is not None:
        winners[:] = before[group.parent].reshape(winners.shape)
    winners[:, :, first:last] = own
    return replace(group, on=winners.reshape(len(own), -1), next_word=None if last == n_words else last)
