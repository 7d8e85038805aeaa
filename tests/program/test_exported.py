"""Programs that torch.export saved."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

from splineviz.errors import InputError, NotPiecewiseAffineError
from splineviz.program import load_program

from .nets import Residual, noisy

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def saved(
    folder: Path, module: nn.Module, *shape: int, dynamic: Any = ({0: Dim.AUTO},), count: int = 2
) -> Path:
    path = folder / "net.pt2"
    torch.export.save(
        torch.export.export(module, (torch.randn(count, *shape),), dynamic_shapes=dynamic), path
    )
    return path


def make() -> nn.Module:
    return nn.Sequential(
        nn.Linear(3, 4), noisy(nn.BatchNorm1d(4)), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)
    ).eval()


@pytest.mark.parametrize(("make", "shape"), [(make, (3,)), (Residual, (2, 5, 5))])
def test_an_exported_module_is_the_module(
    tmp_path: Path, make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    module = make().eval()
    program, plain = load_program(saved(tmp_path, module, *shape)), load_program(module, input_shape=shape)
    assert program.input_shape == shape
    assert [(s.name, s.kind, s.shape) for s in program.stages] == [
        (s.name, s.kind, s.shape) for s in plain.stages
    ]
    assert program.digest == plain.digest
    assert program.name.endswith("net.pt2")
    assert program.fidelity is not None


def test_weights_go_by_their_names(tmp_path: Path) -> None:
    other = make()
    path = saved(tmp_path, make(), 3)
    assert load_program(path, weights=other.state_dict()).digest == load_program(other).digest
    assert load_program(path).rebind(other.state_dict()).digest == load_program(other).digest


def test_what_blocks_exactness_keeps_its_place(tmp_path: Path) -> None:
    with pytest.raises(NotPiecewiseAffineError) as caught:
        load_program(saved(tmp_path, nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 1)), 3))
    assert [o.split(" is ")[0] for o in caught.value.offenders] == ["gelu in 1 (GELU)"]


def test_one_fixed_number_of_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"net\.pt2' was exported for 2 inputs at a time only") as caught:
        load_program(saved(tmp_path, make(), 3, dynamic=None))
    assert "dynamic_shapes" in (caught.value.hint or "")


def test_other_open_axes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"leaves more axes of its input open than the batch"):
        load_program(saved(tmp_path, nn.ReLU(), 3, 5, dynamic=({0: Dim.AUTO, 2: Dim.AUTO},)))


def test_input_shape_must_be_that_of_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, make(), 3)
    assert load_program(path, input_shape=3).input_shape == (3,)
    with pytest.raises(
        InputError,
        match=r"the model takes one input of shape \(3,\), without the batch, but input_shape is \(4,\)",
    ) as caught:
        load_program(path, input_shape=4)
    assert "try: leave input_shape out" in str(caught.value)
    assert "try: leave --input-shape out" in caught.value.for_command()


def test_several_inputs_are_named(tmp_path: Path) -> None:
    class Net(nn.Module):
        def forward(self, image: Tensor, mask: Tensor) -> Tensor:
            return image + mask

    exported = torch.export.export(Net(), (torch.randn(2, 3), torch.randn(2, 3)))
    torch.export.save(exported, tmp_path / "net.pt2")
    with pytest.raises(
        InputError, match=r"a network has one input, but '.*net\.pt2' takes 2: 'image', 'mask'"
    ):
        load_program(tmp_path / "net.pt2")


def test_a_file_that_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "net.pt2").write_bytes(b"no program at all")
    with pytest.raises(InputError, match=r"net\.pt2' cannot be read as an exported program"):
        load_program(tmp_path / "net.pt2")
    with pytest.raises(InputError, match="no such file"):
        load_program(tmp_path / "missing.pt2")
    assert not caplog.records, "what torch says of it is in the error"


CORE: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 2),
            noisy(nn.BatchNorm2d(3)),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(3, 2),
        ),
        (1, 4, 4),
    ),
    "residual": (Residual, (2, 5, 5)),
    "transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(1, 2, 3, 2), nn.LeakyReLU(0.1), nn.MaxPool2d(2)),
        (1, 3, 3),
    ),
    "clamps": (
        lambda: nn.Sequential(
            nn.Linear(3, 4), nn.Hardtanh(), nn.ReLU6(), nn.Hardsigmoid(), nn.RReLU(), nn.Dropout()
        ),
        (3,),
    ),
    "maps": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.ReLU(),
            nn.AvgPool2d(3, 2),
            nn.PixelUnshuffle(2),
        ),
        (1, 5, 5),
    ),
    "order": (lambda: nn.Sequential(nn.Linear(3, 4), Sorted(), nn.Linear(4, 2)), (3,)),
}


class Sorted(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sort(1).values


@pytest.mark.parametrize("name", CORE)
def test_core_aten_is_the_module(tmp_path: Path, name: str) -> None:
    build, shape = CORE[name]
    torch.manual_seed(0)
    module = build().eval()
    exported = torch.export.export(module, (torch.randn(2, *shape),), dynamic_shapes=({0: Dim.AUTO},))
    torch.export.save(exported.run_decompositions(), tmp_path / "net.pt2")
    program, plain = load_program(tmp_path / "net.pt2"), load_program(module, input_shape=shape)
    assert program.n_units == plain.n_units
    x = torch.randn(20, *shape, dtype=torch.float64)
    torch.testing.assert_close(program.forward(x), plain.forward(x), rtol=1e-12, atol=1e-12)


def test_the_softmax_at_the_end_of_core_aten_is_cut_off(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.LogSoftmax(1))
    exported = torch.export.export(module, (torch.randn(2, 3),), dynamic_shapes=({0: Dim.AUTO},))
    torch.export.save(exported.run_decompositions(), tmp_path / "net.pt2")
    program = load_program(tmp_path / "net.pt2", logits=True)
    assert program.cut_off == "_log_softmax in 3 (LogSoftmax)"
    x = torch.randn(9, 3, dtype=torch.float64)
    torch.testing.assert_close(
        program.forward(x), load_program(module[:3]).forward(x), rtol=1e-14, atol=1e-14
    )


class Scaled(nn.Module):
    """A network whose forward takes more than its input."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x: Tensor, factor: float = 1.0, *, signed: bool = False) -> Tensor:
        return self.layer(x).relu() * (-factor if signed else factor)


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((2.0,), {}), ((2.0,), {"signed": True}), ((), {"factor": 3.0, "signed": True})],
)
def test_numbers_and_flags_are_those_of_the_export(
    tmp_path: Path, given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    module, x = Scaled(), torch.randn(2, 3)
    shapes = {"x": {0: Dim.AUTO}} | dict.fromkeys([*["factor"][: len(given)], *named])
    exported = torch.export.export(module, (x, *given), named, dynamic_shapes=shapes)
    torch.export.save(exported, tmp_path / "net.pt2")
    program = load_program(tmp_path / "net.pt2")
    expected = module(x, *given, **named)
    torch.testing.assert_close(program.forward(x.double()).float(), expected, rtol=1e-5, atol=1e-6)


def test_an_input_by_its_name(tmp_path: Path) -> None:
    module, x = Scaled(), torch.randn(2, 3)
    shapes = {"x": {0: Dim.AUTO}, "signed": None}
    exported = torch.export.export(module, (), {"x": x, "signed": True}, dynamic_shapes=shapes)
    torch.export.save(exported, tmp_path / "net.pt2")
    program = load_program(tmp_path / "net.pt2")
    torch.testing.assert_close(
        program.forward(x.double()).float(), module(x, signed=True), rtol=1e-5, atol=1e-6
    )


class Bytes(nn.Module):
    """A network of pictures as they lie in files: bytes, channels last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 2, 2), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 3, 1, 2).float() / 255 - 0.5
        result: Tensor = self.last(torch.relu(self.conv(x)).flatten(1))
        return result


def test_a_network_of_bytes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, pixels = Bytes().eval(), torch.randint(0, 256, (2, 3, 4, 3), dtype=torch.uint8)
    exported = torch.export.export(module, (pixels,), dynamic_shapes=({0: Dim.AUTO},))
    torch.export.save(exported, tmp_path / "bytes.pt2")
    for source in (exported, tmp_path / "bytes.pt2"):
        program = load_program(source)
        assert (program.input_shape, program.input_dtype) == ((3, 4, 3), "uint8")
        torch.testing.assert_close(program.forward(pixels.double()), module(pixels).double())
    again = exported.module()(pixels)
    torch.testing.assert_close(again, module(pixels))  # and what was given is as it was


def test_bytes_that_wrap_are_refused(tmp_path: Path) -> None:
    class Wrapping(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu((x + x).float() - 200)

    pixels = torch.zeros(2, 3, dtype=torch.uint8)
    exported = torch.export.export(Wrapping().eval(), (pixels,), dynamic_shapes=({0: Dim.AUTO},))
    with pytest.raises(InputError, match=r"takes uint8 numbers, and aten.add.Tensor computes with them"):
        load_program(exported)


def test_an_archive_that_grows_too_large_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = saved(tmp_path, nn.Linear(1000, 100), 1000)
    with (
        zipfile.ZipFile(stored) as whole,
        zipfile.ZipFile(tmp_path / "packed.pt2", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in whole.namelist():
            zeros = bytes(len(whole.read(name))) if "weight" in name else whole.read(name)
            packed.writestr(name, zeros)
    monkeypatch.setenv("SPLINEVIZ_UNPACKED_BYTES", "100000")
    assert load_program(stored).output_shape == (100,), "what is stored as it is does not grow"
    monkeypatch.setattr(torch.export, "load", None)
    with pytest.raises(InputError, match=r"packed\.pt2' would become .* the limit is 100,000") as refused:
        load_program(tmp_path / "packed.pt2")
    assert "SPLINEVIZ_UNPACKED_BYTES=" in str(refused.value.hint)
