"""The largest output as a stage: cells of one class, which make up the decision regions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.errors import InputError
from splineviz.program import with_decisions

BOX = sv.Window.box(-2, 2, -2, 2)


def net(*last: nn.Module) -> nn.Sequential:
    head = nn.Linear(10, 4, bias=False)  # without a bias no class is ahead everywhere
    return nn.Sequential(nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 10), nn.ReLU(), head, *last)


def length(segments: np.ndarray) -> float:
    return float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())


@pytest.mark.parametrize("seed", range(4))
def test_cells_of_one_class_are_the_pieces_of_the_decision_regions(seed: int) -> None:
    torch.manual_seed(seed)
    program = sv.load_program(net())
    plain = sv.arrange(program, sv.Plane.identity(), BOX)
    arr = sv.arrange(with_decisions(program), sv.Plane.identity(), BOX)
    arr.check()
    assert arr.status is sv.Status.COMPLETE
    pieces, classes = plain.decision_regions(), arr.winners(2)[:, 0]
    assert arr.n_cells == len(pieces.pieces) > plain.n_cells + 5
    expected = np.bincount(pieces.classes, pieces.areas, minlength=4)
    np.testing.assert_allclose(np.bincount(classes, arr.areas, minlength=4), expected, atol=1e-12)
    middle = arr.interior_points
    np.testing.assert_array_equal(program.forward(torch.from_numpy(middle)).argmax(1).numpy(), classes)
    between = arr.edges[arr.edge_stage == 2]
    assert length(arr.vertices[between]) == pytest.approx(length(plain.decision_boundary()))
    assert arr.n_linear_regions == plain.n_linear_regions
    np.testing.assert_allclose(arr.affine, plain.affine[plain.locate(middle)], atol=1e-12)


def test_every_place_of_a_map_decides_for_itself() -> None:
    torch.manual_seed(0)
    program = sv.load_program(
        nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 12), nn.Unflatten(1, (3, 2, 2)))
    )
    arr = sv.arrange(with_decisions(program), sv.Plane.identity(), BOX)
    labels = program.forward(torch.from_numpy(arr.interior_points)).argmax(1).flatten(1)
    np.testing.assert_array_equal(arr.winners(1), labels.numpy())
    assert arr.info is not None and arr.info.stages[1].unit_index(3) == (0, 1, 1)


def test_other_weights_keep_the_decision() -> None:
    torch.manual_seed(0)
    first, other = net(), net()
    rebound = with_decisions(sv.load_program(first)).rebind(other.state_dict())
    direct = with_decisions(sv.load_program(other))
    assert rebound.digest == direct.digest != sv.load_program(other).digest
    a, b = (sv.arrange(program, sv.Plane.identity(), BOX) for program in (rebound, direct))
    np.testing.assert_array_equal(a.pattern_hash, b.pattern_hash)


@pytest.mark.parametrize("last", [nn.Identity(), nn.Softmax(1)])
def test_a_network_that_ends_in_argmax(last: nn.Module) -> None:
    torch.manual_seed(0)

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = net(last)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x).argmax(1)

    model = Classifier()
    program = with_decisions(sv.load_program(model, input_shape=2, logits=True))
    arr = sv.arrange(program, sv.Plane.identity(), BOX)
    with torch.no_grad():
        labels = model.double()(torch.from_numpy(arr.interior_points))
    np.testing.assert_array_equal(arr.winners(2)[:, 0], labels.numpy())


def test_one_output_has_nothing_to_choose() -> None:
    with pytest.raises(InputError, match="two outputs or more"):
        with_decisions(sv.load_program(nn.Linear(2, 1)))
