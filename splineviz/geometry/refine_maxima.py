"""Refine a subdivision by maxima: cut where the two largest candidates of a window tie, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from splineviz.geometry.answers import ExactAnswers
from splineviz.geometry.candidate_rounds import challenge, crown, interpolate_rows, label_edges, settle
from splineviz.geometry.csr import Csr
from splineviz.geometry.merging import merge_faces
from splineviz.geometry.records import BIRTH, VANISHING
from splineviz.geometry.refine import Proof, Refinement, refine
from splineviz.geometry.subdivision import Subdivision

__all__ = ["NO_LIMIT", "Births", "Maxima", "Proven", "among_winners", "refine_by_maxima"]

NO_LIMIT = 1 << 62
"""Bytes or vertices"""

_IN_WORK = -2
"""Stage of edges that a later round may yet take away"""


@dataclass(frozen=True, eq=False)
class Births:
    """Where the vertices in the middle of a stage of maxima come from."""

    born: np.ndarray
    """`records.BIRTH` of all new vertices so far; their ends count these after the old ones"""
    counts: tuple[int, ...]
    """How many each round made"""
    kept: np.ndarray
    """(V,) the vertices that remain, likewise"""


@dataclass(frozen=True, eq=False)
class Proven:
    """What is proven of the entries whose maxima are taken, and whom to ask for the rest."""

    slack: np.ndarray
    """(V,): ``x[v, i]`` is within ``scale[i] * slack[v]`` of the exact value at the exact vertex; all scales
    are the same"""
    norm: np.ndarray
    """(V,) likewise, of the whole row"""
    sure: bool
    """Whether entries that are 0.0 are exactly zero"""
    judges: Callable[[Births], ExactAnswers] | None
    """For the round after these births; None if nobody can tell"""


@dataclass(frozen=True, eq=False)
class Maxima:
    """A refinement on whose faces every window has one winner, and the maxima at its vertices.

    In ``refinement.on`` the winner of window w on a face is a number of ``planes`` bits: bit b is bit w of
    the b-th row of ``on[face].reshape(planes, -1)``.
    """

    refinement: Refinement
    values: np.ndarray
    """(V, W)"""
    error: np.ndarray
    """(V,) estimated distance of the candidates from exact arithmetic, all entries as one vector"""
    slack: np.ndarray
    """(V,) the same entry by entry: times the largest scale of a window's candidates it is that of the
    maximum"""
    proof: np.ndarray
    proven_slack: np.ndarray
    """(V,) likewise, proven; empty where nothing is"""


def refine_by_maxima(
    subdivision: Subdivision,
    x: np.ndarray,
    scale: np.ndarray,
    slack: np.ndarray,
    error: np.ndarray,
    windows: np.ndarray,
    rounds: np.ndarray,
    stage: int,
    first_unit: int = 0,
    room: int = NO_LIMIT,
    most: int = NO_LIMIT,
    proven: Proven | None = None,
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
    x
        (V, n) float64: values at each vertex, affine on every face.
    scale, slack, error
        (n,), (V,), (V,): the error of ``x[v, i]`` is estimated as ``scale[i] * slack[v]``, that of the row as
        ``error[v]``.
    windows
        (W, k) entries of each window in the order in which ties prefer them, -1 for none; at least one each.
    rounds
        (R, W) the place in its window of the candidate that enters in each round, -1 for none. An entry
        enters all its windows in one round, so that what two windows compare alike is compared at one time.
    stage, first_unit
        Recorded as the origin of new edges: the windows are units of this stage, from that one on.
    room, most
        Bytes for the pieces that pairs of windows may leave in one round, and how many vertices may be made
        in all.
    proven
        With it, no decision rests on an estimate but those that nobody can tell.

    Returns
    -------
    None where that does not suffice. Then fewer faces or fewer windows may do: the result is that of each face by itself.
    """
    n_old, n_windows, k = len(x), *windows.shape
    n_words, n_planes = max(1, (n_windows + 63) // 64), max(1, (k - 1).bit_length())
    base = np.ascontiguousarray(x)
    fresh = np.empty((0, x.shape[1]))
    slack, shift, error = slack.copy(), np.zeros(n_old), error.copy()
    proven_slack, proof = (
        (np.empty(0), np.empty(0)) if proven is None else (proven.slack.copy(), proven.norm.copy())
    )
    # the difference of two entries errs by the root of the sum of two squares, at worst by the sum
    unit_scale = (np.sqrt(2.0) if proven is None else 2.0) * np.where(windows >= 0, scale[windows], 0.0).max(
        1, initial=0.0
    )
    top, entered = np.zeros((n_old, n_windows)), np.zeros(n_windows, bool)
    sub, name = subdivision, np.arange(n_old)
    parent, winners = np.arange(len(sub.faces)), np.zeros((len(sub.faces), n_planes * n_words), np.uint64)
    first_part = np.arange(len(sub.edges) + 1)
    births: list[np.ndarray] = []
    counts: list[int] = []
    n_born = decisions = n_open = n_zero = re_evaluated = 0
    highest = np.full(n_windows, -1)
    none = np.empty(0, VANISHING)
    for place in rounds:
        entries = np.where(place >= 0, windows[np.arange(n_windows), place], -1)
        by_entry = np.argsort(entries, kind="stable")
        sure, own = proven is not None and proven.sure, None
        proof_here = proven_slack[name] if proven else proven_slack
        z, equal, doubtful = challenge(
            base, fresh, name, entries, top, entered, unit_scale, slack[name], shift[name], proof_here, sure
        )
        before, birth, made = sub, np.empty(0, BIRTH), none
        if entered.any():
            if proven is not None:
                judge = (
                    None
                    if proven.judges is None
                    else proven.judges(Births(_joined(births), tuple(counts), name))
                )
                own = Proof(proof_here, True, judge)
            cut = refine(sub, z, unit_scale, slack[name], _IN_WORK, room=room, proof=own)
            if cut.next_word is not None or n_born + len(cut.birth) > most:
                return None
            sub, birth = cut.subdivision, cut.birth
            made = np.concatenate([rows[["vertex", "unit"]].astype(VANISHING) for rows in cut.vanishing])
            decisions += cut.decisions
            n_open += cut.open - (0 if proven else cut.identical + doubtful)
            n_zero += cut.zeros - equal
            re_evaluated += cut.re_evaluated
            first_part = cut.first_part[first_part]
            origin, on = cut.parent, cut.on
        else:
            origin, on = np.arange(len(sub.faces)), np.full((len(sub.faces), n_words), ~np.uint64(0))
        if len(birth):
            ids = np.concatenate([name, np.arange(n_old + n_born, n_old + n_born + len(birth))])
            born = birth.copy()
            born["a"], born["b"] = ids[birth["a"]], ids[birth["b"]]
            n_fresh = n_born + len(birth)
            if n_fresh > len(fresh):
                grown = np.empty((2 * n_fresh, x.shape[1]))
                grown[:n_born] = fresh[:n_born]
                fresh = grown
            slack, shift, error = (
                np.concatenate([values, np.empty(len(birth))]) for values in (slack, shift, error)
            )
            if proven is not None:
                proven_slack, proof = (
                    np.concatenate([values, np.empty(len(birth))]) for values in (proven_slack, proof)
                )
            interpolate_rows(base, fresh, n_born, born, scale, slack, shift, error, proven_slack, proof)
            if proven is not None:
                # A candidate that ties here takes another entry's value, in as many windows again as it is
                # in.
                n_ties = np.bincount(made["vertex"] - len(name), minlength=len(birth))
                proof[n_old + n_born :] *= np.sqrt(1.0 + n_ties)
            births.append(born)
            n_born, name = n_fresh, ids
        counts.append(len(birth))
        watch = bool((entered & (place >= 0) & (place < highest)).any())
        winners = crown(winners, origin, on, place, z, before.faces.offsets, before.faces.values, watch)
        sub, parent, winners, first_part, kept, n_apart = _merge(
            sub, parent[origin], winners, n_old, first_part
        )
        top = settle(
            base, fresh, name, entries, top, entered, birth, made, by_entry, kept, proven is not None
        )
        name, n_open = name[kept], n_open + n_apart
        entered |= place >= 0
        highest = np.maximum(highest, place)
    edge_source, shared = label_edges(
        sub.edge_faces(),
        winners,
        n_words,
        sub.edge_source,
        sub.shared,
        first_part[-1],
        stage,
        first_unit,
        _IN_WORK,
    )
    vertices = sub.vertices
    result = Refinement(
        subdivision=Subdivision(vertices, sub.faces, sub.side_edges, sub.edges, edge_source, shared),
        parent=parent,
        on=winners,
        birth=_joined(births),
        first_part=first_part,
        vanishing=(none, none),
        decisions=decisions,
        re_evaluated=re_evaluated,
        open=n_open,
        identical=0,
        zeros=n_zero,
        largest_bound=float(unit_scale.max(initial=0.0) * proven_slack.max(initial=0.0)),
        kept=name,
        turns=tuple(counts),
    )
    few = (values[name] if proven else values for values in (proof, proven_slack))
    return Maxima(result, top, error[name], (slack + shift)[name], *few)


def _joined(births: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, BIRTH), *births])


def among_winners(
    group: Refinement, before: np.ndarray | None, words: tuple[int, int], n_words: int
) -> Refinement:
    """The refinement by some windows of a stage, those in ``words`` of ``n_words``, with the winners of all
    that have cut so far.

    ``before`` has those of the earlier windows, (F before, planes * n_words).
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


def _merge(
    sub: Subdivision, parent: np.ndarray, winners: np.ndarray, n_old: int, first_part: np.ndarray
) -> tuple[Subdivision, np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """The subdivision without edges of this stage whose two faces have the same winners, and the vertices
    that are left."""
    if first_part[-1] == len(sub.edges):
        return sub, parent, winners, first_part, np.arange(len(sub.vertices)), 0
    offsets, side_vertex, *rest, parent, winners, first_part, kept, n_apart = merge_faces(
        sub.faces.offsets, sub.faces.values, sub.side_edges, sub.edges, sub.edge_source, sub.shared,
        parent, winners, n_old, first_part,
    )  # fmt: skip
    return (
        Subdivision(sub.vertices[kept], Csr(offsets, side_vertex), *rest),
        parent,
        winners,
        first_part,
        kept,
        n_apart,
    )
