"""Fourier transforms along an axis, complex numbers as pairs on the last one."""

from __future__ import annotations

import torch
from torch import Tensor

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, operator

__all__: list[str] = []


@operator("DFT")
def _transform(node: OnnxNode) -> Made:
    node.only_active()
    shape, inverse, onesided = node.shape(), node.attribute("inverse", 0), node.attribute("onesided", 0)
    if inverse and onesided:
        raise RefusedNodeError("of one side cannot be inverted before opset 21: give all frequencies")
    given = node.array(2) if node.opset >= 20 else node.attribute("axis", 1)
    axis = node.axis(-2 if given is None else int(given))
    length = node.array(1)
    n = shape[axis] if length is None else int(length)
    view, further = node.along([axis])
    function = torch.fft.ifft if inverse else torch.fft.rfft if onesided else torch.fft.fft

    def run(x: Tensor) -> Tensor:
        x = view(x)
        z = x[..., 0] if shape[-1] == 1 else torch.view_as_complex(x.contiguous())
        return torch.view_as_real(function(z, n, axis + further).resolve_conj())

    return Made(run, (len(shape),))
