"""The errors a user can meet: each says what was expected, what came, where, and what to try."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

from splineviz.showing import in_line, in_lines

__all__ = ["InputError", "NotPiecewiseAffineError", "SplinevizError", "SplinevizWarning"]


class SplinevizError(Exception):
    """Base of every error that splineviz raises on purpose.

    Parameters
    ----------
    message
        What was expected, what came, and where; one sentence.
    details
        Lines below it, such as a list, or the user's own source line.
    hint
        What to try, in Python; on a line of its own.
    code
        Lines of Python below the hint.
    command_hint
        What to try instead where the error came up in the command, whose options have other names.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[str] = (),
        hint: str | None = None,
        code: Sequence[str] = (),
        command_hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint
        self.code = tuple(code)
        self.command_hint = hint if command_hint is None else command_hint

    def __str__(self) -> str:
        return self._text(self.hint)

    def for_command(self) -> str:
        """The text for those who typed a command."""
        return self._text(self.command_hint)

    def _text(self, hint: str | None) -> str:
        tried = [] if hint is None else [f"try: {hint}", *(f"  {line}" for line in self.code)]
        return in_lines([self.message, *self.details, *tried])

    def about(self, what: str) -> Self:
        """The error with the name of what it is about before it."""
        named = copy.copy(self)
        named.message = f"{what}: {self.message}"
        return named


class SplinevizWarning(UserWarning):
    """A choice that was made for the caller, who may have meant another; the command tells it as a note."""

    def __str__(self) -> str:
        return in_line(super().__str__())


class InputError(SplinevizError, ValueError):
    """Bad input: collinear points, a wrong shape, an unreadable file, an index outside the data."""

    exit_code = 4


class NotPiecewiseAffineError(SplinevizError):
    """The network holds operations that are not continuous piecewise affine, or that are not supported.

    ``offenders`` lists every one of them, each with its operation, module path and source line.
    """

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[str] = (),
        offenders: tuple[str, ...] = (),
        hint: str | None = None,
        command_hint: str | None = None,
    ) -> None:
        super().__init__(message, details=details, hint=hint, command_hint=command_hint)
        self.offenders = offenders
