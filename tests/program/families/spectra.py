"""Fourier transforms, and what is done with complex numbers until they are real again."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .shared import MAP, ROWS, VECTOR, Functions, Modules


class Spectral(nn.Module):
    """A layer of a Fourier neural operator: some frequencies, each times a complex matrix, written into zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        found = torch.fft.rfft(x)
        out = torch.zeros(x.shape[0], 2, found.shape[-1], dtype=found.dtype)
        out[:, :, :2] = torch.einsum("bix,iox->box", found[:, :, :2], torch.view_as_complex(self.weight))
        return torch.fft.irfft(out, n=x.shape[-1]).relu()


class ComplexLayers(nn.Module):
    """A complex convolution and a complex linear layer with biases, and a relu of either part."""

    def __init__(self) -> None:
        super().__init__()
        sizes = {"kernel": (2, 3, 2), "shift": (2,), "matrix": (2, 3), "bias": (2,)}
        for name, size in sizes.items():
            self.register_parameter(name, nn.Parameter(torch.randn(*size, 2)))

    def forward(self, x: Tensor) -> Tensor:
        own = {name: torch.view_as_complex(value) for name, value in self.named_parameters()}
        z = functional.conv1d(torch.fft.fft(x), own["kernel"], own["shift"])
        z = torch.complex(z.real.relu(), z.imag.relu())
        return torch.view_as_real(functional.linear(z, own["matrix"], own["bias"])).flatten(1)


def _rewritten(x: Tensor) -> Tensor:
    z = torch.fft.rfft(x, norm="ortho")
    z[..., 2:] = 0
    z[:, 0] *= 2j
    return torch.fft.irfft(z, n=4, norm="ortho")


def _constants(m: nn.Module, x: Tensor) -> Tensor:
    """A phase for each frequency, and complex numbers added, subtracted and divided by."""
    z = torch.fft.fft(x) * torch.polar(m.row, m.row.flip(0)) / (1 - 2j) + 1j * x - 2j
    return (z / 3 + torch.view_as_complex(m.row.reshape(2, 2)).repeat(2)).imag + torch.fft.ifft(m.row).real


def _read(part: Callable[[Tensor], Tensor]) -> Callable[[nn.Module, Tensor], Tensor]:
    return lambda m, x: part(torch.fft.fft(x))


MODULES: Modules = {"spectral layer": (Spectral, ROWS), "complex layers": (ComplexLayers, ROWS)}
FUNCTIONS: Functions = {
    "low pass": (lambda m, x: torch.fft.irfft(torch.fft.rfft(x)[..., :2], n=5), ROWS),
    "mixed as in FNet": (lambda m, x: x + torch.fft.fft(torch.fft.fft(x), dim=-2).real.relu(), ROWS),
    "transform of maps": (
        lambda m, x: (
            torch.fft.irfft2(torch.fft.rfft2(x, norm="forward") * 1j, s=(6, 5)) + torch.fft.fft2(x).imag
        ),
        MAP,
    ),
    "transforms of other lengths": (
        lambda m, x: torch.fft.irfft(torch.fft.rfft(x, n=6, norm="ortho"), n=3, dim=1, norm="forward"),
        ROWS,
    ),
    "transforms of all axes": (
        lambda m, x: (
            torch.fft.ifftn(torch.fft.fftshift(torch.fft.rfftn(x, dim=(1, 2)), dim=-1), dim=(2, 1)).imag
        ),
        ROWS,
    ),
    "transforms of real spectra": (
        lambda m, x: torch.fft.hfft(x)[:, :4] + torch.fft.ihfft(x, n=7).imag,
        VECTOR,
    ),
    "written into a spectrum": (lambda m, x: _rewritten(x), ROWS),
    "complex constants": (_constants, VECTOR),
    "complex matrix": (
        lambda m, x: (
            (torch.fft.fft(x, dim=1).mT @ torch.fft.fft(m.table)).imag
            + (2j * m.row[:, None] * x.mT).imag.sum(-1, keepdim=True)
        ),
        ROWS,
    ),
    "pairs as complex numbers": (
        lambda m, x: torch.view_as_real(torch.view_as_complex(x.reshape(-1, 3, 2, 2)).conj().resolve_conj()),
        ROWS,
    ),
    "parts of a spectrum": (
        lambda m, x: torch.cat([z.mH.imag for z in torch.fft.fft(x).split([1, 3], -1)], 1),
        ROWS,
    ),
    "sums of a spectrum": (
        _read(lambda z: z.sum(1).real - z.mean(1).imag + (-z).flip(1).roll(1, 2)[:, 0].real),
        ROWS,
    ),
    "constant part": (_read(lambda z: (z * 0 + 1j).imag + z.real), VECTOR),
}
