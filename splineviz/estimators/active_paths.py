"""Units that matter where they switch: the indicator of Theorem 2, decided on the unit's own breakpoint."""

from __future__ import annotations

import torch
from torch import Tensor

from splineviz.estimators.derivatives import Draw, irregular_sum
from splineviz.estimators.request import batch_for
from splineviz.estimators.switches import Level, StageReader
from splineviz.program.rows import as_rows

__all__ = ["good_on_breakpoint"]

_FAR = 8.5
"""Standard deviations; the normal density is below 1e-16 of its height from here on."""


def good_on_breakpoint(draw: Draw, stage: int, gaps: Tensor, level: int, sigma: float) -> Tensor:
    """(point, unit) whether the output depends on what a unit passes on while the unit sits exactly on one of
    its breakpoints.

    All other units have the noise of the draw. ``gaps`` (point, unit) are distances from the breakpoint:
    units that are too far from it to have any density are not tried.
    """
    good = torch.zeros_like(gaps, dtype=torch.bool)
    if stage == len(draw.tape.switches) - 1:  # nothing switches behind it that could depend on where it sits
        return draw.alive[stage]
    points, units = (gaps.abs() < _FAR * sigma).nonzero(as_tuple=True)
    if not len(points):
        return good
    size = batch_for(None, len(points), 2 * 8 * draw.tape.values_alive, gaps.device)
    for some, theirs in zip(torch.split(points, size), torch.split(units, size), strict=True):
        pinned = _Pinned(draw, stage, level, some, theirs)
        with torch.enable_grad():
            entrance = {i: value[some] for i, value in draw.entrance.items()}
            output = as_rows(draw.tape.finish(entrance, len(some), pinned))
            assert pinned.passed is not None
            (gradient,) = torch.autograd.grad(irregular_sum(output), pinned.passed, allow_unused=True)
        if gradient is not None:
            source = draw.tape.switches[stage].sources[0]
            rows = as_rows(draw.tape.batch_first(source, gradient, len(some)))
            good[some, theirs] = rows.gather(1, theirs[:, None])[:, 0] != 0
    return good


class _Pinned:
    """Copies of points under the noise of a draw, one unit of each held on its breakpoint."""

    def __init__(self, draw: Draw, stage: int, level: int, points: Tensor, units: Tensor) -> None:
        self._draw, self._points, self._units = draw, points, units
        self._pinned = draw.tape.switches[stage]
        rule = self._pinned.rule
        assert isinstance(rule, Level)
        self._height = rule.breakpoints[level].expand(self._pinned.stage.shape).flatten()[units]
        self.passed: Tensor | None = None

    def enter(self, switch: StageReader, values: tuple[Tensor, ...]) -> Tensor:
        tape, z, source = self._draw.tape, values[0], switch.sources[0]
        rows = as_rows(tape.batch_first(source, z, len(self._points)))
        if switch.call in self._draw.noise:
            count = self._draw.points.stop - self._draw.points.start
            rows = (
                rows + as_rows(tape.batch_first(source, self._draw.noise[switch.call], count))[self._points]
            )
        if switch is self._pinned:
            rows = rows.scatter(1, self._units[:, None], self._height[:, None])
        entered = tape.laid_out(source, rows, z)
        # nothing before the unit matters
        return entered.detach().requires_grad_() if switch is self._pinned else entered

    def leave(self, switch: StageReader, result: Tensor) -> None:
        if switch is self._pinned:
            self.passed = result
