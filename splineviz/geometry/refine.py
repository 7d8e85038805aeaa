"""Refine a subdivision so that no unit changes sign inside a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64, UInt64

from splineviz.deadline import check_time
from splineviz.geometry.answers import ExactAnswers, checked
from splineviz.geometry.compiled import kernel, part
from splineviz.geometry.csr import Csr
from splineviz.geometry.cutting import choose_words, cut_faces, face_signs
from splineviz.geometry.edge_crossings import cross_edges
from splineviz.geometry.ordering import near_each_other
from splineviz.geometry.places import find_places
from splineviz.geometry.predicates import classify, units_at
from splineviz.geometry.questions import EDGE, MOST, NO_ANSWERS, UNKNOWN, Answers, Dialogue, no_questions
from splineviz.geometry.rounding import UNIT_ROUNDOFF
from splineviz.geometry.shared_edges import shared_edges, vanishing_edges
from splineviz.geometry.strays import stray_after
from splineviz.geometry.subdivision import Arrays, Subdivision, find_edge_faces
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

__all__ = ["ROOM", "Kinds", "Proof", "Refinement", "UncertainError", "compile_refine", "refine"]

_NO_PROOF, _NO_KINDS = np.empty(0), np.empty(0, np.int64)


class Kinds:
    """Numbers of units, one for those that are one function: found when they are of use for the first
    time, as that takes longer than many stages."""

    def __init__(self, find: Callable[[], Int64[np.ndarray, "unit"]]) -> None:
        self._find = find
        self.known: Int64[np.ndarray, "unit"] = _NO_KINDS
        """None of them before"""
        self.asked = False

    def find(self) -> Int64[np.ndarray, "unit"]:
        """The numbers; none where that cannot be told."""
        if not self.asked:
            self.known, self.asked = self._find(), True
        return self.known


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined subdivision and how it came from the one before. New vertices follow the old ones."""

    subdivision: Subdivision
    parent: Int64[np.ndarray, "face"]
    """The face that each face was cut from"""
    on: UInt64[np.ndarray, "face word"]
    """Bit set of the units that are positive on each face"""
    birth: np.ndarray
    """(new vertices,) `records.BIRTH`: between which earlier vertices each lies, and where"""
    first_part: Int64[np.ndarray, "old_edge+1"]
    """First of the consecutive new edges into which each edge before falls, in order from its first to its
    second end"""
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
    moved: Float64[np.ndarray, "old_vertex 2"]
    """Changes of values of units at old vertices that have another sign than was found: the norm of all
    changes, and the largest one over the scale of its unit"""
    doubt: Float64[np.ndarray, "old_vertex"]
    """Proven share of the difference of two values by which one at an old vertex may differ from that at its
    exact place"""
    largest_bound: float = 0.0
    """The largest proven error of a value at the nominal place of its vertex"""
    next_word: int | None = None
    """Where to go on with the units that were put off; None if there are none"""
    kept: Int64[np.ndarray, "vertex"] | None = None
    """Mask of the vertices that remain of all that ``birth`` makes, counted from the old ones on; None for
    all"""
    turns: tuple[int, ...] = ()
    """Number of new vertices of each of several rounds; empty for a single one"""


ROOM = 4 << 30
"""Bytes set aside for the pieces that units might leave, at most; reckoned as if all units of a face crossed
each other."""


@dataclass(frozen=True, eq=False)
class Proof:
    """Proven errors of the values of a stage's units, and whom to ask for the rest."""

    slack: Float64[np.ndarray, "vertex"]
    """``z[v, u]`` is within ``scale[u] * slack[v]`` of the exact value at the vertex's nominal place"""
    sure: bool
    """Whether values that are 0.0 are exactly zero"""
    exact: ExactAnswers | None
    """None if nobody can tell"""
    renewable: bool = False
    """Whether values at vertices can be taken anew: where many signs are open at one, `UncertainError` asks
    for it"""


class UncertainError(Exception):
    """Values at some vertices are known so badly that they had better be taken anew."""

    def __init__(self, vertices: Int64[np.ndarray, "some"]) -> None:
        super().__init__(vertices)
        self.vertices = vertices


_MANY_OPEN = 16
"""Open signs at one vertex from which on values that are taken anew are cheaper than answers"""


def refine(
    subdivision: Subdivision,
    z: Float64[np.ndarray, "vertex unit"],
    scale: Float64[np.ndarray, "unit"],
    slack: Float64[np.ndarray, "vertex"],
    stage: int,
    first_word: int = 0,
    room: int = ROOM,
    proof: Proof | None = None,
    kinds: Kinds | None = None,
    *,
    onward: bool = True,
) -> Refinement:
    """Cut every face along the zero sets of all units, or of as many of them as there is room for.

    Parameters
    ----------
    z
        C-contiguous: value of each unit at each vertex, affine on every face. Values too close to zero to
        tell their sign are set to zero.
    scale, slack
        The error of ``z[v, u]`` at the nominal place of v is estimated as ``scale[u] * slack[v]``.
    stage
        Recorded as the origin of new edges.
    first_word
        The units before 64 times this have cut already.
    room
        Bytes for the pieces that pairs of units may leave. Where it is too small, units are put off by the
        word of 64: see ``next_word``. Then ``on`` is final only for units that have cut.
    proof
        With it, no decision rests on an estimate but those that nobody can tell.
    kinds
        Found where units vanish too close to each other to tell them apart.
    onward
        Whether faces may be cut again by a later stage. If not, and nothing is proven, `Subdivision.stray` is
        left unknown after the last units.

    Raises
    ------
    UncertainError
        If values are `Proof.renewable`, and should be taken anew at some vertices. ``z`` is as it was then.
    SpentError
        If the time of the thread is up, as `splineviz.deadline` has it.
    """
    slack_proof, sure = (_NO_PROOF, False) if proof is None else (proof.slack, proof.sure)
    arrays, moved, answers = subdivision.arrays(), np.zeros((len(z), 2)), NO_ANSWERS
    values = Values(z, scale, slack, slack_proof, moved, _NO_KINDS if kinds is None else kinds.known)
    while True:
        check_time()  # answers may come by the hundred to many thousands of questions
        run = _refine(arrays, values, sure, stage, first_word, room, answers, onward or proof is not None)
        of_use = (run.questions["chord"] == EDGE).any() or (proof is None and run.open > 0)
        if of_use and kinds is not None and not kinds.asked:
            values = values._replace(kinds=kinds.find())
            continue
        if proof is not None and proof.renewable and (run.unproven >= _MANY_OPEN).any():
            raise UncertainError(np.flatnonzero(run.unproven >= _MANY_OPEN))
        answers, n_confirmed = checked(answers, run.questions, None if proof is None else proof.exact)
        if run.stopped == 0 and n_confirmed is not None:
            break
    fine, parent, on = Subdivision.from_arrays(run.arrays), run.parent, run.on
    order = near_each_other(fine.vertices, fine.faces, parent)
    if order is not None:
        side_edges = Csr(fine.faces.offsets, fine.side_edges).take(order).values
        fine = replace(fine, faces=fine.faces.take(order), side_edges=side_edges)
        parent, on = parent[order], on[order]
    return Refinement(
        subdivision=fine,
        parent=parent,
        on=on,
        birth=run.birth,
        first_part=run.first_part,
        vanishing=(run.on_edges, run.inside),
        next_word=None if run.last == on.shape[1] else run.last,
        decisions=z.size + len(run.on_edges) + len(run.inside),
        re_evaluated=int((answers.rows["decision"] != UNKNOWN).sum()),
        open=run.open - n_confirmed,
        identical=run.identical,
        zeros=run.zeros,
        moved=np.stack([np.sqrt(moved[:, 0]), moved[:, 1]], axis=1),
        doubt=run.doubt,
        largest_bound=float(scale.max(initial=0.0) * slack_proof.max(initial=0.0)),
    )


def compile_refine() -> None:
    """Have the kernel compiled, and kept for other processes, by a triangle that nothing cuts."""
    triangle = Subdivision.from_polygons([np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])])
    refine(triangle, np.ones((3, 1)), np.ones(1), np.ones(3), 0)


class Values(NamedTuple):
    """Values of units and their errors, as in `predicates.Units`."""

    z: Float64[np.ndarray, "vertex unit"]
    scale: Float64[np.ndarray, "unit"]
    slack: Float64[np.ndarray, "vertex"]
    proof: Float64[np.ndarray, "vertex"]
    moved: Float64[np.ndarray, "vertex 2"]
    kinds: Int64[np.ndarray, "unit"]


class _Run(NamedTuple):
    """One run of the kernel; fields that are not explained here are those of `Refinement`."""

    arrays: Arrays
    parent: Int64[np.ndarray, "face"]
    on: UInt64[np.ndarray, "face word"]
    birth: np.ndarray
    first_part: Int64[np.ndarray, "edge+1"]
    on_edges: np.ndarray
    """`records.CROSSING` on edges"""
    inside: np.ndarray
    """`records.VANISHING` inside faces"""
    last: int
    """The word of units to go on with"""
    open: int
    identical: int
    zeros: int
    unproven: Int64[np.ndarray, "old_vertex"]
    doubt: Float64[np.ndarray, "old_vertex"]
    questions: np.ndarray
    """`questions.QUESTION` that it asked"""
    stopped: int
    """Number of questions that stop the run: then the rest is of no use"""


@kernel
def _refine(
    arrays: Arrays,
    values: Values,
    sure: bool,
    stage: int,
    first: int,
    room: int,
    answers: Answers,
    stray: bool,
) -> _Run:
    """Refine in one compiled call: what passes between Python and compiled code costs more than cutting a
    hundred faces."""
    _, offsets, side_vertex, side_edge, edges, source, shared, rivals, _, rounding = arrays
    places = find_places(arrays)
    units = units_at(values.z, values.scale, values.slack, values.proof, places, values.moved, values.kinds)
    questions = no_questions(MOST)
    dialogue = Dialogue(answers, questions)
    signs = classify(units, sure, first, dialogue)
    if questions.asked[1] > 0:  # without answers, nothing that follows would be of use
        offsets, edges, source, shared, rivals = offsets[:1], edges[:0], source[:0], shared[:0], rivals[:0]
    on, cut = face_signs(offsets, side_vertex, signs)
    last, n_cut = choose_words(cut, first, room)
    crossed = cross_edges(edges, units, signs, first, last, dialogue)
    if questions.asked[1] > 0:
        offsets, n_cut = offsets[:1], n_cut[:0]
    given = Given(
        offsets,
        side_vertex,
        side_edge,
        edges,
        units,
        signs.positive,
        signs.negative,
        on,
        cut,
        crossed.offsets,
        crossed.crossing,
        crossed.first_part,
        crossed.birth,
    )
    scratch, links, pieces = make_room(given, n_cut, crossed.parts)
    cut_faces(given, n_cut, scratch, links, pieces, dialogue)
    n = pieces.n
    birth, drawn = pieces.birth[: n[VERTICES]], pieces.shared[: n[SHARE]]
    faces_of = find_edge_faces(offsets, side_vertex, side_edge, edges if signs.zeros else edges[:0])
    vanishing = vanishing_edges(edges, faces_of, signs, on, first, last)
    n_faces, n_sides, n_edges = n[FACES], n[SIDES], n[EDGES]
    points, largest = _extend_points(arrays.vertices, birth)
    fine = Arrays(
        points,
        pieces.offsets[: n_faces + 1],
        pieces.side_vertex[:n_sides],
        pieces.side_edge[:n_sides],
        pieces.edges[:n_edges],
        _sources(source, crossed.first_part, pieces.edge_unit, n_edges, stage),
        shared_edges(shared, vanishing, drawn, crossed.first_part, stage),
        _rivals(rivals, crossed.first_part, n_edges),
        np.full((n_edges, 4), np.inf),
        rounding + 16.0 * UNIT_ROUNDOFF * largest if len(birth) > 0 else rounding,
    )
    if (stray or last < on.shape[1]) and questions.asked[1] == 0:
        stray_after(fine, crossed.first_part, birth, pieces.edge_unit, arrays, places, units)
    return _Run(
        fine,
        pieces.parent[:n_faces],
        pieces.on[:n_faces],
        birth,
        crossed.first_part,
        crossed.crossing,
        pieces.vanishing[: n[VANISH]],
        last,
        signs.open + crossed.open + n[OPEN] + n[DROPPED],
        crossed.identical,
        signs.zeros,
        signs.unproven,
        places.shares[:, 2] + places.shares[:, 3],
        questions.rows[: questions.asked[0]],
        questions.asked[1],
    )


@part()
def _sources(
    before: Int32[np.ndarray, "old_edge 2"],
    first_part: Int64[np.ndarray, "old_edge+1"],
    unit: Int64[np.ndarray, "edge"],
    n_edges: int,
    stage: int,
) -> Int32[np.ndarray, "edge 2"]:
    """Stage and unit of every edge: parts of an older edge keep its."""
    out = np.empty((n_edges, 2), np.int32)
    for e in range(len(before)):
        for k in range(first_part[e], first_part[e + 1]):
            out[k, 0], out[k, 1] = before[e, 0], before[e, 1]
    for e in range(first_part[-1], n_edges):
        out[e, 0], out[e, 1] = stage, unit[e]
    return out


@part()
def _rivals(
    before: Int32[np.ndarray, "old_edge 2"], first_part: Int64[np.ndarray, "old_edge+1"], n_edges: int
) -> Int32[np.ndarray, "edge 2"]:
    """Rivals of every edge: parts of an older edge keep its."""
    out = np.full((n_edges, 2), np.int32(-1))
    for e in range(len(before)):
        for k in range(first_part[e], first_part[e + 1]):
            out[k, 0], out[k, 1] = before[e, 0], before[e, 1]
    return out


@part()
def _extend_points(
    points: Float64[np.ndarray, "old_vertex 2"], birth: np.ndarray
) -> tuple[Float64[np.ndarray, "vertex 2"], float]:
    """Coordinates (uv) of old vertices and of those that are born between them; and the largest of them."""
    n_old, largest = len(points), 0.0
    result = np.empty((n_old + len(birth), 2))
    for v in range(n_old):
        result[v, 0], result[v, 1] = points[v, 0], points[v, 1]
        largest = max(largest, abs(points[v, 0]), abs(points[v, 1]))
    for k in range(len(birth)):
        a, b, t = birth[k].a, birth[k].b, birth[k].t
        for i in range(2):
            result[n_old + k, i] = result[a, i] + t * (result[b, i] - result[a, i])
    return result, largest
