"""Condition numbers of local maps are those of maps that are known."""

from __future__ import annotations

import json
from pathlib import Path

import condition_numbers as script
import numpy as np
import pytest
import torch


def of_identities(skips: bool, factor: float) -> script.Network:
    """Every stage multiplies by a number before its activation."""
    torch.manual_seed(0)
    net = script.Network(skips).double()
    with torch.no_grad():
        for stage in net.stages:
            stage.weight.zero_()
            stage.bias.zero_()
            for channel in range(script.CHANNELS):
                stage.weight[channel, channel, 1, 1] = factor
    return net


@pytest.mark.parametrize(("skips", "factor"), [(False, 2.0), (True, 2.0), (True, 0.0)])
def test_a_stage_that_multiplies_has_its_slopes_as_singular_values(skips: bool, factor: float) -> None:
    """Signs stay from stage to stage: entries on get 2 (and 1) each time, entries off get a tenth of 2."""
    anchors = torch.rand(3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found, n_cells = script.conditions(of_identities(skips, factor), anchors, 3, 0)
    ratio = (factor + skips) / (script.SLOPE * factor + skips)
    expected = ratio ** np.arange(script.STAGES, 0, -1)
    np.testing.assert_allclose(found, np.tile(expected, (3, 1)), rtol=1e-9)
    assert 1 <= n_cells <= 3


def test_one_seed_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["condition_numbers.py", "--quick", "-o", str(tmp_path)])
    script.main()
    rows = json.loads((tmp_path / "condition-numbers.json").read_text())["rows"]
    assert [(row["kind"], row["step"]) for row in rows] == [
        ("ConvNet", 0),
        ("ConvNet", 20),
        ("ResNet", 0),
        ("ResNet", 20),
    ]
    assert (tmp_path / "condition-numbers.png").stat().st_size > 10_000
