"""Units that are put off for want of room cut later, and leave the same faces."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.extend import extend_slack, extend_values
from splineviz.geometry.refine import refine

from .hand import at, square


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
        extend_values(z, np.arange(len(z)), step.birth, out, scale, slack, slack, False)
        slack = extend_slack(out, step.birth, scale, slack)
        for rows in step.vanishing:
            out[rows["vertex"], rows["unit"]] = 0.0
        z = out
    assert rounds == 5 and step.open == 0
    assert patterns(step.on) == patterns(at_once.on) and len(step.on) == len(at_once.on)
    assert (len(sub.vertices), len(sub.edges)) == (len(at_once.subdivision.vertices), len(at_once.subdivision.edges))


def test_slack_covers_the_error_of_every_entry() -> None:
    rng = np.random.default_rng(0)
    lines = rng.standard_normal((40, 3)) * (1, 1, 0.4)
    sub, scale = square(), np.abs(lines).sum(1)
    z, slack = at(sub, lines), np.full(4, 1e-10)
    wrong = z + scale * 1e-10 * rng.uniform(-1, 1, z.shape)
    step = refine(sub, wrong.copy(), scale, slack, 0)
    out = np.empty((len(step.subdivision.vertices), 40))
    extend_values(wrong, np.arange(4), step.birth, out, scale, slack, slack, False)
    covered = extend_slack(out, step.birth, scale, slack)
    exact = at(step.subdivision, lines)
    assert (np.abs(out - exact) <= 4 * covered[:, None] * scale).all()
    assert (covered > 0).all() and np.median(covered) < 1e-9
