"""Every public verb takes every form of a model and every layout of points, and says the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import splineviz as sv
from splineviz.errors import InputError
from splineviz.estimators.density import density
from splineviz.program import with_decisions
from splineviz.program.select import select_outputs
from splineviz.segments.paths import walk

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

SHAPE = (1, 4, 4)
WINDOW = sv.Window.box(-0.5, 0.5, -0.5, 0.5)
SOME: dict[str, Any] = {"radii": 0.5, "medians": (), "directions": 2, "frames": 1, "planes": 1, "examples": 0}

Models = dict[str, Any]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """One network in all forms, and a checkpoint of it."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 9), nn.ReLU(), nn.Linear(9, 3)).eval()
    folder = tmp_path_factory.mktemp("models")
    exported = torch.export.export(module, (torch.zeros(2, *SHAPE),), dynamic_shapes=({0: Dim.AUTO},))
    torch.export.save(exported, folder / "net.pt2")
    torch.save(module.state_dict(), folder / "step-1.pt")
    program = sv.load_program(module, input_shape=SHAPE)
    forms = {"program": program, "module": module, "file": str(folder / "net.pt2"), "exported": exported}
    return forms | {"folder": folder}


def _points() -> Tensor:
    return torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1))


LAYOUTS: dict[str, Callable[[Tensor], Any]] = {
    "images": lambda x: x,
    "flat": lambda x: x.flatten(1),
    "array": lambda x: x.numpy(),
    "list of tensors": list,
    "list of flat arrays": lambda x: [row.numpy() for row in x.flatten(1)],
    "with gradients": lambda x: [row.clone().requires_grad_() for row in x],
    "lists": lambda x: x.tolist(),
}


def _animated(model: Any, x: Any, folder: Path) -> float:
    runs = sv.Checkpoints(model, folder / "step-*.pt")
    done = sv.animate(runs, sv.Plane.through(*x[:3]), WINDOW, folder / "a.webp", points=x, dpi=40)
    return float(done.exact[0])


VERBS: dict[str, Callable[[Any, Any, Path], Any]] = {
    "arrange": lambda m, x, _: sv.arrange(m, sv.Plane.through(*x[:3]), WINDOW).n_cells,
    "stream": lambda m, x, _: sum(arr.n_cells for arr in sv.stream(m, sv.Plane.at(x[0]), WINDOW)),
    "slice": lambda m, x, _: sv.slice(m, x[:3]).n_cells,
    "segment": lambda m, x, _: sv.segment(m, x[0], x[1]).n_cells,
    "walk": lambda m, x, _: walk(m, x).n_crossings,
    "forecast": lambda m, x, _: sv.forecast(m, sv.Plane.at(x[0]), WINDOW).cells,
    "fit_window": lambda m, x, _: sv.fit_window(m, sv.Plane.at(x[0]), WINDOW.scaled(9), 20).area,
    "compare": lambda m, x, _: sv.compare([m, m], sv.Plane.at(x[0]), WINDOW).pair(0, 1).overlay.n_cells,
    "lines_over_training": lambda m, x, _: sv.lines_over_training(
        [m, m], sv.Plane.through(*x[:3]), WINDOW, x, permutations=9, shifts=9
    ).lengths.tolist(),
    "check": lambda m, x, _: sv.check(sv.slice(m, x[:3]), m, points=9, segments=2).ok,
    "local_complexity": lambda m, x, _: sv.local_complexity(m, x, radius=0.5, directions=3).totals.tolist(),
    "exact_local_complexity": lambda m, x, _: sv.exact_local_complexity(m, x, radius=0.5).totals.tolist(),
    "density": lambda m, x, _: density(m, x, sigma=0.1, samples=2).totals.tolist(),
    "validate": lambda m, x, _: sv.validate(m, x, **SOME).cells.tolist(),
    "validate checkpoints": lambda m, x, folder: sv.validate(
        sv.Checkpoints(m, folder / "step-*.pt"), x, **SOME
    ).cells.tolist(),
    "animate": _animated,
    "decisions": lambda m, x, _: sv.arrange(with_decisions(m), sv.Plane.at(x[0]), WINDOW).n_cells,
    "outputs": lambda m, x, _: sv.arrange(select_outputs(m, [0]), sv.Plane.at(x[0]), WINDOW).n_cells,
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_form_of_a_model_and_every_layout_of_points(models: Models, verb: str) -> None:
    ask, folder = VERBS[verb], models["folder"]
    expected = ask(models["program"], _points(), folder)
    for form in ("module", "file", "exported"):
        np.testing.assert_allclose(ask(models[form], _points(), folder), expected, err_msg=form)
    for layout, laid_out in LAYOUTS.items():
        given = laid_out(_points())
        np.testing.assert_allclose(ask(models["module"], given, folder), expected, err_msg=layout)


def test_what_is_no_model_is_named_by_every_verb(models: Models) -> None:
    state = models["module"].state_dict()
    for verb in ("arrange", "segment", "slice", "local_complexity", "exact_local_complexity", "validate"):
        with pytest.raises(InputError, match=r"a model is an nn\.Module, .* got OrderedDict"):
            VERBS[verb](state, _points(), models["folder"])
    with pytest.raises(InputError, match="an animation goes over checkpoints, got Sequential") as caught:
        sv.animate(models["module"], sv.Plane.at(_points()[0]), WINDOW, "a.webp")
    assert "sv.Checkpoints" in (caught.value.hint or "")


def test_a_program_has_been_told_how_it_is_read(models: Models) -> None:
    with pytest.raises(InputError, match="read already, so that weights, logits would have no effect"):
        sv.slice(models["program"], _points()[:3], weights={}, logits=True)
    with pytest.raises(InputError, match="so that output would have no effect"):
        sv.slice(models["program"], _points()[:3], output=0)


def test_integers_of_numpy_are_integers(models: Models) -> None:
    x, one, two = _points(), np.int64(1), np.int32(2)
    program = models["program"]
    plane = sv.Plane.at(x[0])
    arr = sv.arrange(program, plane, WINDOW, stage=np.int64(0), jobs=one, max_cells=np.int64(1))
    assert arr.n_cells == 1
    assert sv.fit_window(program, plane, WINDOW, np.int64(4)).area > 0
    plain = sv.local_complexity(program, x, directions=2, batch=1, seed=1)
    counted = sv.local_complexity(program, x, directions=two, batch=one, seed=one)
    assert counted.directions == (2,) and (counted.totals == plain.totals).all()
    assert sv.exact_local_complexity(program, x, radius=0.5, planes=two).planes == 2
    design = {"radii": np.float32(0.5), "medians": np.array([1]), "directions": np.array([2, 3])}
    more: dict[str, Any] = {"frames": two, "planes": one, "examples": np.int64(0), "seed": one}
    study = sv.validate(program, x, **design, **more)
    assert study.directions == (2, 3) and type(study.design["frames"]) is int


@pytest.mark.parametrize("dim", [1, 2, 7])
def test_default_directions_fit_few_inputs_and_say_so(dim: int) -> None:
    net, x = nn.Sequential(nn.Linear(dim, 9), nn.ReLU(), nn.Linear(9, 1)), torch.randn(3, dim)
    with pytest.warns(sv.SplinevizWarning, match=f"^{dim} directions are taken, .* not 25$"):
        assert sv.local_complexity(net, x).directions == (dim,)
    with pytest.raises(InputError, match=f"{dim + 1} orthonormal directions do not fit"):
        sv.local_complexity(net, x, directions=dim + 1)


@pytest.mark.parametrize("layout", ["channels last network", "channels_last memory"])
def test_layouts_of_networks_in_exact_counts(layout: str) -> None:
    class Permuting(nn.Module):
        def __init__(self, conv: nn.Module, last: nn.Module) -> None:
            super().__init__()
            self.conv, self.last = conv, last

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.conv(x.permute(0, 3, 1, 2)).relu())

    torch.manual_seed(0)
    conv, last = nn.Conv2d(3, 4, 3), nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3))
    plain, x = nn.Sequential(conv, nn.ReLU(), last).eval(), torch.randn(4, 3, 6, 6)
    wanted = sv.exact_local_complexity(plain, x.contiguous(), radius=0.3)
    if layout == "channels last network":
        given, points, shape = Permuting(conv, last).eval(), x.permute(0, 2, 3, 1), (6, 6, 3)
        axes = np.random.default_rng(0).normal(size=(2, *shape))
        planes = [sv.Plane.at(p, directions=axes) for p in points]
        moved = [sv.Plane.at(p, directions=axes.transpose(0, 3, 1, 2)) for p in x]
        windows = [sv.Window.diamond(0.3)] * 4
        assert sv.arrange(given, planes, windows).n_cells == sv.arrange(plain, moved, windows).n_cells
        assert sv.exact_local_complexity(given, points, radius=0.3).totals.shape == (1, 1, 4)
    else:
        given = plain.to(memory_format=torch.channels_last)
        points = x.to(memory_format=torch.channels_last)
        found = sv.exact_local_complexity(given, points, radius=0.3)
        np.testing.assert_array_equal(found.counts, wanted.counts)


@pytest.mark.parametrize(
    ("stored", "channels"),
    [((1, 6, 6), 1), ((6, 6), 1), ((1, 1, 6, 6), 1), ((3, 6, 6), 3), ((6, 6, 3), 3), ((1, 6, 6, 3), 3)],
)
@pytest.mark.filterwarnings("ignore::splineviz.errors.SplinevizWarning")
def test_images_tell_a_convolution_its_shape(stored: tuple[int, ...], channels: int) -> None:
    net = nn.Sequential(nn.Conv2d(channels, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)).eval()
    points = torch.randn(3, *stored, generator=torch.Generator().manual_seed(0))
    arr = sv.slice(net, points)
    assert arr.program.input_shape == (channels, 6, 6)
    assert sv.local_complexity(net, points).n_points == 3
    assert sv.segment(net, points[0], points[1]).n_cells >= 1
    plane = arr.planes[0]
    flat = plane.lift(plane.anchors).reshape(3, -1)
    np.testing.assert_allclose(plane.project(flat)[0], plane.anchors, atol=1e-12)
    with pytest.raises(InputError, match="the shape of one input is needed"):
        sv.slice(net, points.flatten(1))


def test_points_that_are_none() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    for points, words in (
        ([torch.zeros(4), torch.zeros(3)], "points of one shape"),
        ([[0.0, 1.0], [0.0]], "points of one shape"),
        (torch.zeros(4), r"shape \(n, 4\), got \(4,\)"),
        (["a", "b"], "points must be"),
    ):
        with pytest.raises(InputError, match=words):
            sv.local_complexity(net, points, directions=2)  # type: ignore[arg-type]
