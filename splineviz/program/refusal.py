"""Refusals of networks that cannot be programs: all offenders at once, each with its place in the user's
code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from splineviz.errors import NotPiecewiseAffineError
from splineviz.program.refused import REFUSED
from splineviz.program.trace import Call

__all__ = ["Offender", "offender", "refusal", "why"]

_UNKNOWN = "is not an operation that splineviz knows to be piecewise affine"
_BY_NAME = {name: group for group in REFUSED for name in group.names}


@dataclass(frozen=True)
class Offender:
    """One operation that blocks exactness."""

    operation: str
    reason: str
    """Words that follow the operation's name."""
    module: str
    """Path and class of the module that called it; empty at the root."""
    source: str
    """The user's own ``file:line  text``; empty if the call came from torch's containers alone."""

    @property
    def lines(self) -> tuple[str, ...]:
        """A sentence, and below it the line of the user's source where it is known."""
        place = f" in {self.module}" if self.module else ""
        sentence = f"- {self.operation}{place} {self.reason}"
        return (sentence, f"    {self.source}") if self.source else (sentence,)

    def __str__(self) -> str:
        return "\n    ".join(self.lines).removeprefix("- ")


def why(op: str) -> str:
    """Reason why an operation without an entry in the table is refused, and what to take instead.

    Examples
    --------
    >>> why("hardshrink")
    'is not continuous piecewise affine: it jumps; instead: softshrink'
    """
    group = _BY_NAME.get(op)
    if group is None:
        return _UNKNOWN
    return f"{group.reason}; {group.advice}" if group.advice else group.reason


def offender(call: Call, reason: str) -> Offender:
    """The offender that a call is."""
    return Offender(call.op, reason, call.place, call.source)


def refusal(offenders: Sequence[Offender], last: str | None) -> NotPiecewiseAffineError:
    """The error that lists every offender; ``last`` is the operation at the end that may be cut off, if there
    is one."""
    count = "an operation that keeps" if len(offenders) == 1 else f"{len(offenders)} operations that keep"
    hint = command_hint = "replace them; the README lists the operations that are supported"
    if last is not None:
        cut = f"cuts off the last {last}"
        cut += " and takes what enters it as the output" if len(offenders) == 1 else ""
        first = "" if len(offenders) == 1 else f"{hint}; "
        hint, command_hint = f"{first}logits=True {cut}", f"{first}--logits {cut}"
    return NotPiecewiseAffineError(
        f"the network holds {count} it from being split into linear regions exactly:",
        details=[line for offender in offenders for line in offender.lines],
        offenders=tuple(str(o) for o in offenders),
        hint=hint,
        command_hint=command_hint,
    )
