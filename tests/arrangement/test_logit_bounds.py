from __future__ import annotations

import numpy as np
import pytest

from splineviz.arrangement.logit_bounds import logit_bounds, proven_largest


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_logit_is_proven_where_its_bound_is_clear_of_all_others(seed: int) -> None:
    """Against the bounds of all logits, in NumPy; a tenth of the maps have two logits within 1e-14."""
    rng = np.random.default_rng(seed)
    maps, errors = rng.normal(size=(60, 7, 3)), rng.random((60, 3)) * 1e-15
    maps[::10, 3] = maps[::10, 5] + rng.normal(size=(6, 3)) * 1e-15
    maps[::10, [3, 5], 2] += 20.0
    maps[1, 2, 0], maps[2, 4, 2] = np.inf, np.nan
    cells, uv = rng.integers(0, 60, 500), rng.uniform(-1, 1, (500, 2))
    displacement = rng.choice([0.0, 1e-12, 0.1, np.inf], 500)
    winner, proven = proven_largest(maps, errors, cells, uv, displacement, 4)
    own = maps[cells]
    with np.errstate(invalid="ignore"):
        values = own[:, :, 0] * uv[:, :1] + own[:, :, 1] * uv[:, 1:] + own[:, :, 2]
        bounds = logit_bounds(maps, errors, cells, uv, displacement, 4)
        rows = np.arange(500)
        least = (values - bounds)[rows, values.argmax(1)]
        others = (values + bounds)[np.arange(7) != values.argmax(1)[:, None]].reshape(500, 6)
        expected = (least[:, None] > others).all(1)
    np.testing.assert_array_equal(winner, values.argmax(1))
    np.testing.assert_array_equal(proven, expected)
    assert 50 < proven.sum() < 450 and not proven[np.isin(cells, (1, 2))].any()
    assert not proven[np.isin(cells, np.arange(0, 60, 10))].any()
