"""Words on stdout and stderr, whatever is in the names of files, modules and classes."""

from __future__ import annotations

import re

import click

__all__ = ["plain", "say"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    r"""Text without what a terminal obeys: control characters and turns of direction become their codes.

    Examples
    --------
    >>> print(plain("net\x1b[31m.pt"))
    net\x1b[31m.pt
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def say(text: str, *, err: bool = False) -> None:
    """A line, or lines, on stdout or stderr."""
    click.echo(plain(text), err=err)
