"""Convolutions, and their transposes."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from splineviz.program.onnx.node import Made, OnnxNode, RefusedNodeError, operator
from splineviz.program.onnx.operators.windows import batch_of_maps, padded, windows_of

__all__: list[str] = []


@operator("Conv")
def _convolution(node: OnnxNode) -> Made:
    node.only_active()
    axes = batch_of_maps(node)
    function: Callable[..., Tensor] = (functional.conv1d, functional.conv2d, functional.conv3d)[axes - 1]
    w, groups = windows_of(node, node.shape(1)[2:]), node.attribute("group", 1)

    def run(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
        if w.symmetric:
            return function(x, kernel, bias, w.stride, w.before, w.dilation, groups)
        return function(padded(x, w.pads), kernel, bias, w.stride, 0, w.dilation, groups)

    return Made(run, (axes + 2,), (0, 1, 2) if node.has(2) else (0, 1))


@operator("ConvTranspose")
def _transposed(node: OnnxNode) -> Made:
    node.only_active()
    axes = batch_of_maps(node)
    transposes = functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d
    function: Callable[..., Tensor] = transposes[axes - 1]
    w, groups = windows_of(node, node.shape(1)[2:]), node.attribute("group", 1)
    spread = zip(w.lengths, w.kernel, w.stride, w.dilation, strict=True)
    full = [s * (n - 1) + d * (k - 1) + 1 for n, k, s, d in spread]
    extra = node.attribute("output_padding", [0] * axes)
    crops = _crops(node, full, extra, w.stride, w.pads)
    # what torch can do on its own: cut off alike on both sides, and then add less than a stride
    alike = tuple(before for before, _ in crops)
    added = tuple(before - after for before, after in crops)
    own = all(n >= 0 for n in alike) and all(0 <= n < s for n, s in zip(added, w.stride, strict=True))

    def run(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
        if own:
            return function(x, kernel, bias, w.stride, alike, added, groups, w.dilation)
        made = padded(
            function(x, kernel, None, w.stride, 0, 0, groups, w.dilation), tuple((-a, -b) for a, b in crops)
        )
        return made if bias is None else made + bias.reshape(-1, *(1,) * axes)

    return Made(run, (axes + 2,), (0, 1, 2) if node.has(2) else (0, 1))


@operator("Col2Im")
def _col2im(node: OnnxNode) -> Made:
    """Windows, as columns, added up in the map that they were cut from."""
    image, kernel = _pair(node, 1), _pair(node, 2)
    if node.shape()[0] != 1:
        raise RefusedNodeError("is supported only with a batch axis")
    stride, dilation = node.attribute("strides", [1, 1]), node.attribute("dilations", [1, 1])
    top, left, bottom, right = node.attribute("pads", [0] * 4)
    whole, crops = (image[0] + top + bottom, image[1] + left + right), ((-top, -bottom), (-left, -right))

    def run(x: Tensor) -> Tensor:
        return padded(functional.fold(x, whole, kernel, dilation, 0, stride), crops)

    return Made(run, (4,))


def _pair(node: OnnxNode, index: int) -> tuple[int, int]:
    """Two whole numbers, one for each axis of a map."""
    array = node.array(index)
    if array is None or len(array) != 2:
        raise RefusedNodeError("is supported on maps of two axes")
    return int(array[0]), int(array[1])


def _crops(
    node: OnnxNode,
    full: list[int],
    extra: list[int],
    stride: tuple[int, ...],
    pads: tuple[tuple[int, int], ...],
) -> list[tuple[int, int]]:
    """Numbers of entries cut off before and after each axis of the full result; a negative number behind is
    added."""
    auto, wanted = node.attribute("auto_pad", "NOTSET"), node.attribute("output_shape")
    if wanted is None and not auto.startswith("SAME"):
        return [(before, after - e) for (before, after), e in zip(pads, extra, strict=True)]
    lengths = (
        [n * s for n, s in zip(node.shape()[2:], stride, strict=True)]
        if wanted is None
        else wanted[-len(full) :]
    )
    crops = []
    for length, n, e in zip(lengths, full, extra, strict=True):
        total = n + e - length
        if total < 0:
            raise RefusedNodeError(
                "names an output_shape larger than what it makes, which tools understand in different ways"
            )
        half = total // 2
        before = half if auto == "SAME_UPPER" else total - half
        crops.append((before, total - before - e))
    return crops
