"""Real architectures end to end: read, arranged, and sampled densely; then once more with other weights."""

from __future__ import annotations

import numpy as np
import pytest

import splineviz as sv
from tests.networks.architectures import CASES, Case
from tests.oracles.sampling import assert_sampled


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_network(case: Case) -> None:
    network, other = case.network(0), case.network(1)
    program = sv.load_program(network, input_shape=case.shape)
    assert program.fidelity is not None and program.fidelity.float64 is not None
    assert program.fidelity.float64 < 1e-12
    assert program.n_parameters == sum(p.numel() for p in network.parameters())

    plane = sv.Plane.at(np.random.default_rng(0).standard_normal(case.shape), seed=1)
    window = sv.Window.box(-case.radius, case.radius, -case.radius, case.radius)
    digests = set()
    for bound, module in ((program, network), (program.rebind(other.state_dict()), other)):
        arr = sv.arrange(bound, plane, window, certify="off")
        assert arr.status is sv.Status.COMPLETE, "no decision is close"
        arr.check()
        # Proven bounds grow past use in networks as deep as these: from some stage on decisions rest on
        # estimates again.
        proven = sv.arrange(bound, plane, window)
        assert proven.stats.proven > 0
        np.testing.assert_array_equal(proven.pattern_hash, arr.pattern_hash)
        sampled = assert_sampled(arr, module)
        assert arr.n_cells > 100 and sampled.cells > 50, (
            f"{arr.n_cells} cells, {sampled.cells} of them sampled"
        )
        assert sampled.stages > 1, "the points switch units of one stage only"
        digests.add(bound.digest)
    assert len(digests) == 2
