"""Refine a subdivision so that no unit changes sign inside a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from splineviz.geometry.answers import ExactAnswers, checked
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr
from splineviz.geometry.cutting import choose_words, cut_faces, face_signs
from splineviz.geometry.edge_crossings import cross_edges
from splineviz.geometry.ordering import near_each_other
from splineviz.geometry.predicates import classify
from splineviz.geometry.questions import FEW, MANY, NO_ANSWERS, UNKNOWN, asking
from splineviz.geometry.shared_edges import shared_edges
from splineviz.geometry.subdivision import Subdivision, find_edge_faces
from splineviz.geometry.workspace import (
    DROPPED,
    EDGES,
    FACES,
    OPEN,
    SHARE,
    SIDES,
    VANISH,
    VERTICES,
    Given,
    make_room,
)

__all__ = ["ROOM", "Proof", "Refinement", "compile_refine", "refine"]

_NO_PROOF = np.empty(0)


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined subdivision and how it came from the one before. New vertices follow the old ones."""

    subdivision: Subdivision
    parent: np.ndarray
    """(F,) the face that each face was cut from"""
    on: np.ndarray
    """(F, words) bit set of the units that are positive on each face"""
    birth: np.ndarray
    """(new vertices,) `records.BIRTH`: between which earlier vertices each lies, and where"""
    first_part: np.ndarray
    """(E + 1,) first of the consecutive new edges into which each edge before falls, in order from its first
    to its second end"""
    vanishing: tuple[np.ndarray, np.ndarray]
    """Rows with ``vertex`` and ``unit``, on edges and inside faces: units that are zero at a new vertex by
    construction"""
    decisions: int
    re_evaluated: int
    """Decisions that were asked for, and settled by exact arithmetic"""
    open: int
    """Decisions that nothing settles: taken by estimates; without any proofs, only those taken as
    coincidences are counted"""
    identical: int
    """Of these, orders on an edge of two units whose values at both its ends are the same bit for bit, up to
    sign"""
    zeros: int
    """Signs at vertices taken as zero"""
    largest_bound: float = 0.0
    """The largest proven error of a value"""
    next_word: int | None = None
    """Where to go on with the units that were put off; None if there are none"""
    kept: np.ndarray | None = None
    """(V,) which vertices remain of all that ``birth`` makes, counted from the old ones on; None for all"""
    turns: tuple[int, ...] = ()
    """How many of them each of several rounds made; empty for a single one"""


ROOM = 4 << 30
"""Bytes set aside for the pieces that units might leave, at most; reckoned as if all units of a face crossed
each other."""


@dataclass(frozen=True, eq=False)
class Proof:
    """What is proven of the values of a stage's units, and whom to ask for the rest."""

    slack: np.ndarray
    """(V,): ``z[v, u]`` is within ``scale[u] * slack[v]`` of the exact value at the exact vertex"""
    sure: bool
    """Whether values that are 0.0 are exactly zero"""
    exact: ExactAnswers | None
    """None if nobody can tell"""


def refine(
    subdivision: Subdivision,
    z: np.ndarray,
    scale: np.ndarray,
    slack: np.ndarray,
    stage: int,
    first_word: int = 0,
    room: int = ROOM,
    proof: Proof | None = None,
) -> Refinement:
    """Cut every face along the zero sets of all units, or of as many of them as there is room for.

    Parameters
    ----------
    z
        (V, units) float64, C-contiguous: value of each unit at each vertex, affine on every face. Values too
        close to zero to tell their sign are set to zero.
    scale, slack
        (units,) and (V,): the error of ``z[v, u]`` is estimated as ``scale[u] * slack[v]``.
    stage
        Recorded as the origin of new edges.
    first_word
        The units before 64 times this have cut already.
    room
        Bytes for the pieces that pairs of units may leave. Where it is too small, units are put off by the
        word of 64: see ``next_word``. Then ``on`` is final only for units that have cut.
    proof
        With it, no decision rests on an estimate but those that nobody can tell.
    """
    s, faces = subdivision, subdivision.faces
    slack_proof, sure = (_NO_PROOF, False) if proof is None else (proof.slack, proof.sure)
    answers = NO_ANSWERS
    while True:
        shape, made, counts, questions, n_stopped = _refine(
            s.vertices, faces.offsets, faces.values, s.side_edges, s.edges, s.edge_source, s.shared,
            z, scale, slack, slack_proof, sure, stage, first_word, room, answers,
        )  # fmt: skip
        answers, n_confirmed = checked(answers, questions, None if proof is None else proof.exact)
        if n_stopped == 0 and n_confirmed is not None:
            break
    n_answers = int((answers.rows["verdict"] != UNKNOWN).sum())
    vertices, offsets, side_vertex, side_edges, *rest = shape
    parent, on, birth, first_part, on_edges, inside = made
    last, n_open, identical, n_zero = counts
    faces = Csr(offsets, side_vertex)
    order = near_each_other(vertices, faces, parent)
    if order is not None:
        side_edges, faces, parent, on = (
            Csr(offsets, side_edges).take(order).values,
            faces.take(order),
            parent[order],
            on[order],
        )
    return Refinement(
        subdivision=Subdivision(vertices, faces, side_edges, *rest),
        parent=parent,
        on=on,
        birth=birth,
        first_part=first_part,
        vanishing=(on_edges, inside),
        next_word=None if last == on.shape[1] else last,
        decisions=z.size + len(on_edges) + len(inside),
        re_evaluated=n_answers,
        open=n_open - n_confirmed,
        identical=identical,
        zeros=n_zero,
        largest_bound=float(scale.max(initial=0.0) * slack_proof.max(initial=0.0)),
    )


def compile_refine() -> None:
    """Have the kernel compiled, and kept for other processes, by a triangle that nothing cuts."""
    triangle = Subdivision.from_polygons([np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])])
    refine(triangle, np.ones((3, 1)), np.ones(1), np.ones(3), 0)


@kernel
def _refine(
    vertices: Any, offsets: Any, side_vertex: Any, side_edge: Any, edges: Any, source: Any, shared: Any,
    z: Any, scale: Any, slack: Any, proof: Any, sure: Any, stage: Any, first: Any, room: Any, answers: Any,
) -> Any:  # fmt: skip
    """All of it in one compiled call: what passes between Python and compiled code costs more than cutting a
    hundred faces.

    Where questions stop the run, the rest is of no use.
    """
    questions = asking(FEW if len(answers.rows) == 0 else MANY)
    signs = classify(z, scale, slack, proof, sure, first, answers, questions)
    if questions.asked[1] > 0:  # without answers, nothing that follows would be of use
        offsets, edges, source, shared = offsets[:1], edges[:0], source[:0], shared[:0]
    on, cut = face_signs(offsets, side_vertex, signs.positive, signs.negative)
    last, n_cut = choose_words(cut, first, room)
    crossed = cross_edges(edges, z, scale, slack, proof, signs, first, last, answers, questions)
    if questions.asked[1] > 0:
        offsets, n_cut = offsets[:1], n_cut[:0]
    given = Given(
        offsets, side_vertex, side_edge, edges, z, scale, slack, proof, signs.positive, signs.negative, cut,
        crossed.offsets, crossed.crossing, crossed.first_part, crossed.birth,
    )  # fmt: skip
    scratch, links, pieces, n = make_room(given, n_cut, crossed.parts)
    cut_faces(given, n_cut, on, scratch, links, pieces, n, answers, questions)
    birth, drawn = pieces.birth[: n[VERTICES]], pieces.shared[: n[SHARE]]
    faces_of = find_edge_faces(offsets, side_vertex, side_edge, edges if signs.zeros else edges[:0])
    n_faces, n_sides, n_edges = n[FACES], n[SIDES], n[EDGES]
    shape = (
        _extend_points(vertices, birth),
        pieces.offsets[: n_faces + 1],
        pieces.side_vertex[:n_sides],
        pieces.side_edge[:n_sides],
        pieces.edges[:n_edges],
        _sources(source, crossed.first_part, pieces.edge_unit, n_edges, stage),
        shared_edges(shared, edges, faces_of, signs, on, first, last, crossed.first_part, drawn, stage),
    )
    vanishing = pieces.vanishing[: n[VANISH]]
    made = (
        pieces.parent[:n_faces],
        pieces.on[:n_faces],
        birth,
        crossed.first_part,
        crossed.crossing,
        vanishing,
    )
    n_open = signs.open + crossed.open + n[OPEN] + n[DROPPED]
    asked, n_stopped = questions.rows[: questions.asked[0]], questions.asked[1]
    return shape, made, (last, n_open, crossed.identical, signs.zeros), asked, n_stopped


@part()
def _sources(before: Any, first_part: Any, unit: Any, n_edges: Any, stage: Any) -> Any:
    """(n_edges, 2) the stage and unit of every edge: parts of an older edge keep its."""
    out = np.empty((n_edges, 2), np.int32)
    for e in range(len(before)):
        for k in range(first_part[e], first_part[e + 1]):
            out[k, 0], out[k, 1] = before[e, 0], before[e, 1]
    for e in range(first_part[-1], n_edges):
        out[e, 0], out[e, 1] = stage, unit[e]
    return out


@part()
def _extend_points(points: Any, birth: Any) -> Any:
    n_old = len(points)
    result = np.empty((n_old + len(birth), 2))
    for v in range(n_old):
        result[v, 0], result[v, 1] = points[v, 0], points[v, 1]
    for k in range(len(birth)):
        a, b, t = birth[k].a, birth[k].b, birth[k].t
        for i in range(2):
            result[n_old + k, i] = result[a, i] + t * (result[b, i] - result[a, i])
    return result
