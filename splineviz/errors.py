"""The errors a user can meet: each says what was expected, what came, where, and what to try."""

from __future__ import annotations

__all__ = ["InputError", "NotPiecewiseAffineError", "SplinevizError", "SplinevizWarning"]


class SplinevizError(Exception):
    """Base of every error that splineviz raises on purpose.

    Parameters
    ----------
    message
        What was expected, what came, and where.
    hint
        What to try; shown on a line of its own by the command.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  try: {self.hint}"


class SplinevizWarning(UserWarning):
    """A choice that was made for the caller, who may have meant another; the command tells it as a note."""


class InputError(SplinevizError, ValueError):
    """Bad input: collinear points, a wrong shape, an unreadable file, an index outside the data."""

    exit_code = 4


class NotPiecewiseAffineError(SplinevizError):
    """The network holds operations that are not continuous piecewise affine, or that are not supported.

    ``offenders`` lists every one of them, each with its operation, module path and source line.
    """

    exit_code = 3

    def __init__(self, message: str, *, offenders: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.offenders = offenders
