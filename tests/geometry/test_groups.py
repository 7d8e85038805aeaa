"""Units that are put off for want of room cut later, and leave the same faces."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.refine import Proof, Refinement, refine
from splineviz.values.extension import TensorErrors, extend_slack, extend_values
from tests.geometry.hand import at, errors_of, square

NOTHING = np.empty(0)


def patterns(on: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in on}


@pytest.mark.parametrize("seed", range(4))
def test_groups_of_units_leave_what_all_at_once_leave(seed: int) -> None:
    lines = np.random.default_rng(seed).standard_normal((300, 3)) * (1, 1, 0.4)
    scale, sub = np.ones(300), square()
    z, slack = at(sub, lines), np.full(4, 1e-16)
    at_once = refine(sub, z.copy(), scale, slack, 0)
    assert at_once.next_word is None and at_once.open == 0

    rounds, word = 0, 0
    while True:
        step = refine(sub, z, scale, slack, 0, word, room=100_000)
        rounds, sub = rounds + 1, step.subdivision
        if step.next_word is None:
            break
        assert step.next_word > word
        word, out = step.next_word, np.empty((len(sub.vertices), 300))
        errors = TensorErrors(scale, slack, slack, NOTHING, NOTHING, NOTHING)
        extend_values(z, np.arange(len(z)), step.birth, out, errors, False, True)
        slack, _ = extend_slack(out, step.birth, scale, slack, NOTHING, True)
        for rows in step.vanishing:
            out[rows["vertex"], rows["unit"]] = 0.0
        z = out
    assert rounds == 5 and step.open == 0
    assert patterns(step.on) == patterns(at_once.on) and len(step.on) == len(at_once.on)
    assert (len(sub.vertices), len(sub.edges)) == (
        len(at_once.subdivision.vertices),
        len(at_once.subdivision.edges),
    )


@pytest.mark.parametrize("seed", range(3))
def test_slack_and_proof_cover_the_error_of_every_entry(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = rng.standard_normal((40, 3)) * (1, 1, 0.4)
    sub, scale = square(), np.abs(lines).sum(1)
    z, slack = at(sub, lines), np.full(4, 1e-13)
    wrong = z + scale * 1e-13 * rng.uniform(-1, 1, z.shape)
    step = refine(sub, wrong.copy(), scale, slack, 0, proof=Proof(slack, False, None))
    assert step.open == 0, "nothing is so close that it matters"
    out = np.empty((len(step.subdivision.vertices), 40))
    whole = np.full(4, 1e-13 * np.linalg.norm(scale))
    errors = TensorErrors(scale, slack, whole, slack, whole, np.zeros(4))
    _, _, proof = extend_values(wrong, np.arange(4), step.birth, out, errors, False, True)
    covered, proven = extend_slack(out, step.birth, scale, slack, slack, True)
    nominal, places = step.subdivision.vertices, step.subdivision.vertices.copy()
    places[4:] = _meeting_points(step, lines)
    there, exact = (points @ lines[:, :2].T + lines[:, 2] for points in (nominal, places))
    assert (np.abs(out - there) <= 4 * covered[:, None] * scale).all()
    assert (np.abs(out - there) <= proven[:, None] * scale).all()
    assert (np.linalg.norm(out - there, axis=1) <= proof).all()
    assert (covered > 0).all() and max(covered.max(), proven.max()) < 1.1e-13, "nothing is multiplied"
    likely = errors_of(step.subdivision, out, scale, covered, proven=False)
    assert (np.abs(out - exact) <= 4 * likely).all() and np.median(likely / scale) < 1e-12
    sure = errors_of(step.subdivision, out, scale, proven)
    assert (np.abs(out - exact) <= sure).all() and np.median(sure / scale) < 1e-11


def _meeting_points(step: Refinement, lines: np.ndarray) -> np.ndarray:
    """Where the lines that cross at each new vertex meet, whatever the values that were computed."""
    through: dict[int, set[int]] = {}
    for rows in step.vanishing:
        for vertex, unit in rows[["vertex", "unit"]].tolist():
            through.setdefault(vertex, set()).add(unit)
    sides = np.array([[1.0, 0, -1], [1, 0, 1], [0, 1, -1], [0, 1, 1]])
    points = []
    for vertex in range(4, len(step.subdivision.vertices)):
        own = [lines[unit] for unit in sorted(through[vertex])]
        rough = np.append(step.subdivision.vertices[vertex], 1.0)
        own += [side for side in sides if abs(side @ rough) < 1e-9]
        point = np.cross(own[0], own[1])
        points.append(point[:2] / point[2])
    return np.array(points)
