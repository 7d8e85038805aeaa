"""Metrics as tables: their registry, their columns part by part, and the statistics of a column."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from splineviz.estimators.local_complexity import local_complexity
from splineviz.estimators.metrics.metric import Column, Metric, Part, Settings, by_stage, joined
from splineviz.estimators.metrics.registry import columns_of, registered
from splineviz.estimators.metrics.summary import summary
from splineviz.neighbourhoods import exact_metric
from splineviz.program import network_for
from splineviz.segments import walk_metric
from splineviz.stage import Stage
from tests.estimators.nets import perceptron


def nothing(part: Part, progress: Any) -> Any:
    return iter(())


def test_metrics_from_elsewhere_stand_where_they_belong() -> None:
    names = list(registered(exact_metric.METRIC, walk_metric.METRIC, Metric("last", "", nothing)))
    assert names[:3] == ["lc", "exact", "disagreements"] and names[-1] == "last"
    assert names.index("walk") == names.index("volume") + 1
    needing = {
        name
        for name, metric in registered(exact_metric.METRIC, walk_metric.METRIC).items()
        if metric.needs_program
    }
    assert needing == {"exact", "walk"}


def test_listing_metrics_loads_nothing_heavy() -> None:
    code = (
        "import sys; import splineviz.estimators.metrics.registry; print({'torch', 'scipy'} & {*sys.modules})"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )


def test_parts_put_together_are_the_whole() -> None:
    network = network_for(perceptron(4, 6, 6, 2), [], input_shape=(4,))
    x = np.random.default_rng(0).random((5, 4))
    settings = Settings(radii=(0.1, 0.5), directions=(2, 3), frame="per-point")
    told: list[int] = []
    parts = [
        columns_of(
            registered()["lc"],
            Part(network, None, x[k : k + 2], x[k + 1 : k + 3], k, settings),
            lambda done, of: told.append(done),
        )
        for k in range(0, 5, 2)
    ]
    whole = [joined(alike) for alike in zip(*parts, strict=True)]
    expected = local_complexity(network, x, radius=[0.1, 0.5], directions=[2, 3], frame="per-point")
    totals = [column for column in whole if column.stage == "all"]
    for column, (i, j) in zip(totals, np.ndindex(2, 2), strict=True):
        assert (column.radius, column.directions) == (expected.radii[i], expected.directions[j])
        np.testing.assert_array_equal(column.values, expected.totals[i, j])
    assert told


def test_a_table_gives_its_sum_and_each_stage() -> None:
    stages = [Stage(k, f"s{k}", "relu", (2,), 1, "") for k in range(2)]
    columns = list(by_stage("m", stages, np.array([[1, 2], [3, 4], [5, 6]]), 0.1))
    assert [(c.stage, c.values.tolist()) for c in columns] == [
        ("all", [3, 7, 11]),
        ("0 (s0)", [1, 3, 5]),
        ("1 (s1)", [2, 4, 6]),
    ]


@pytest.mark.parametrize("values", [[2.0, 2.0, 2.0], [0.1 + 0.2, 0.3, 0.3], [0.0]])
def test_one_number_has_no_interval(values: list[float]) -> None:
    found = summary(Column("m", "all", np.array(values)), seed=0)
    assert found.interval is None and found.mean == pytest.approx(values[0])


def test_an_interval_holds_the_mean_and_is_that_of_its_seed() -> None:
    column = Column("m", "all", np.random.default_rng(0).random(50), zeros=np.arange(50))
    first, again, other = (summary(column, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert first.interval is not None and first.interval[0] < first.mean < first.interval[1]
    assert (first.points, first.exact_zeros) == (50, 1225)
