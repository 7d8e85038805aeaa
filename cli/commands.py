"""Commands of `splineviz`, each loaded on use; every ending becomes one line and an exit code."""

from __future__ import annotations

import importlib
import os
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from splineviz import __version__
from splineviz.errors import InputError, SplinevizError, SplinevizWarning
from splineviz.showing import condensed, in_line

from .config import read_config
from .interrupts import INTERRUPTED
from .saying import say

_COMMANDS = {
    "animate": "Animate the cells of a network over the checkpoints of its training.",
    "check": "Verify a saved arrangement from scratch, against its network.",
    "compare": "Compare networks, or checkpoints of one, on one plane: cells, decisions, boundaries, maps.",
    "draw": "Draw a saved arrangement again, in another style and without its network.",
    "estimate": "Count the local complexity of a network at data points, and what else is estimated there.",
    "inspect": "Show a network's stages and units, and what blocks exactness.",
    "lines": "Follow the lines of units over training: lengths, moves, distances of the data from them.",
    "measure": "Measure what the cells of a network on a plane tell: boundary, regions, integrals, graph.",
    "slice": "Draw the exact cells of a network on a plane through three points.",
    "validate": "Hold the proxy of local complexity against exact counts, and report.",
}
_EPILOG = """\b
Exit codes
  0  done
  1  unexpected failure
  2  wrong usage
  3  the network is not piecewise affine, or holds an unsupported operation
  4  bad input
  5  finished incomplete or in doubt; what was computed is written and marked
  6  a threshold that was asked for failed
130  interrupted; 143 or 129 ended by SIGTERM or SIGHUP
"""


class _LazyGroup(click.Group):
    """Imports a command when it is called or asked for its help, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f".{cmd_name}", __package__).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="splineviz")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="Defaults for the options of each command, as TOML: [slice] margin = 0.5",
)
def cli() -> None:
    """Exact linear regions of piecewise-affine networks on two-dimensional slices of their input space."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    session = {"debug": os.environ.get("SPLINEVIZ_DEBUG", "") not in ("", "0")}
    try:
        with _noting_warnings():
            code = cli.main(arguments, prog_name="splineviz", standalone_mode=False, obj=session)
    except click.Abort:
        say(INTERRUPTED, err=True)
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        _show_usage(error)
        return error.exit_code
    except SplinevizError as error:
        _complain(error, session["debug"], *error.for_command().split("\n"))
        return error.exit_code
    except OSError as error:  # of a file system, which says no in as many places as something is opened
        _complain(error, session["debug"], _answered(error))
        return InputError.exit_code
    except Exception as error:
        hint = "  try: the same with --debug, for the traceback that a bug report needs"
        _complain(error, session["debug"], f"unexpected {condensed(error)}", hint)
        return 1
    return code if isinstance(code, int) else 0


def _answered(error: OSError) -> str:
    """The reason that the operating system gives for an error, after the file that it is about."""
    named = " -> ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    reason = error.strerror or str(error) or type(error).__name__
    return f"{named}: {reason}" if named else reason


@contextmanager
def _noting_warnings() -> Iterator[None]:
    """Say on stderr, once each and whatever is quiet, how input was taken: it decides what is seen."""
    said, show = set[str](), warnings.showwarning

    def tell(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:
        if not issubclass(category, SplinevizWarning):
            show("\n".join(map(in_line, str(message).split("\n"))), category, *where, **how)
        elif str(message) not in said:
            said.add(str(message))
            say(f"note: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", SplinevizWarning)
        warnings.showwarning = tell
        yield


def _show_usage(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        say(*context.get_usage().split("\n"), err=True)
        say(f"Try '{context.command_path} {context.help_option_names[-1]}' for help.", "", err=True)
    say(f"Error: {error.format_message()}", err=True)


def _complain(error: Exception, debug: bool, message: str, *below: str) -> None:
    if debug:
        say(*"".join(traceback.format_exception(error)).rstrip("\n").split("\n"), err=True)
    say(f"error: {message}", *below, err=True)
