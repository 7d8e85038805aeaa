"""Numbers that are none, or out of all proportion, in every option that takes a number: what the commands declare
is asked, so that a new option cannot be forgotten."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
import torch
from click.types import FloatParamType, IntParamType

from splineviz_cli.commands import _COMMANDS, cli
from splineviz_cli.number_types import AboveZero, Numbers, Size, WholeNumber
from splineviz_cli.value_types import Anchors, ExactCells, FixedInput, RadiusType, Shard, Threshold

from .conftest import Result

Command = Callable[..., Result]

NUMBERS = (
    *(AboveZero, Anchors, ExactCells, FixedInput, FloatParamType, IntParamType),
    *(Numbers, RadiusType, Shard, Size, Threshold),
)
NONE = ("nan", "inf", "-inf", "1e400", "five", "", "0x10", "9" * 30, "9" * 5000)
EXTREME = {int: ("-1", "0", str(2**63 - 1)), float: ("-1", "-0.0", "1e308", "-1e308", "1e-320")}

PLANE = ("--data", "data.npz", "--points", "0,1,2")
LINE = ("nets:plane", "--box", "0,1,0,1")
ASKED: dict[str, tuple[str, ...]] = {
    "slice": ("nets:small", *PLANE, "-o", "t.png", "--color", "norm"),
    "measure": ("nets:small", *PLANE, "-o", "t.json"),
    "draw": ("cells.npz", "-o", "t.png"),
    "estimate": ("nets:small", "--data", "data.npz", "--directions", "2"),
    "check": ("cells.npz", "--model", "nets:small", "--points", "9", "--segments", "2"),
    "inspect": ("nets:small",),
    "compare": ("nets:small", "nets:other", *PLANE, "-o", "t.png"),
    "animate": ("s-*.pt", "--model", "nets:small", *PLANE, "-o", "t.webp", "--jobs", "1", "--width", "2"),
    "lines": ("s-*.pt", "--model", "nets:small", *PLANE, "-o", "t.csv", "--jobs", "1"),
    "validate": ("nets:small", "--data", "data.npz", "--limit", "3", "--frames", "2", "--jobs", "1"),
}
"""A small request of each command"""
INSTEAD = {
    "--at": ("nets:small", "--data", "data.npz", "--radius", "0.5"),
    "--radius": ("nets:small", "--data", "data.npz", "--at", "0"),
    "--box": ("nets:plane",),
    "--level": (*LINE, "-o", "t.png"),
}
"""Of options of `slice` that belong to another one"""
BESIDE = {
    ("measure", "--sigma"): ("--centre", "0.3,0.3"),
    ("measure", "--centre"): ("--sigma", "0.5"),
    ("measure", "--tolerance"): ("--metric", "integrals", "--truth", "0"),
    ("estimate", "--sigma"): ("--metric", "bounds"),
    ("estimate", "--samples"): ("--metric", "bounds"),
    ("estimate", "--epsilon"): ("--metric", "bounds"),
    ("estimate", "--eta"): ("--metric", "bounds"),
    ("estimate", "--weight-decay"): ("--metric", "bounds"),
}
LISTS = {"--polygon": "{0},0,{0},1,0,1", "--target": "{0},0,0", "--image-shape": "{0},6", "--centre": "{0},0"}


def options(verb: str) -> list[click.Option]:
    """The options of a command that take numbers."""
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    return [
        one
        for one in command.params
        if isinstance(one, click.Option) and not one.is_flag and isinstance(one.type, NUMBERS)
    ]


ALL = [(verb, option.opts[-1]) for verb in _COMMANDS for option in options(verb)]
"""Commands and options, by verb"""


def once() -> list[tuple[str, str]]:
    """Each option where it is first taken: commands share what they declare."""
    first: dict[tuple[str, str, str], tuple[str, str]] = {}
    for verb in ASKED:
        for option in options(verb):
            first.setdefault(
                (option.opts[-1], type(option.type).__name__, str(option.help)), (verb, option.opts[-1])
            )
    return list(first.values())


def kind_of(option: click.Option) -> type[int] | type[float]:
    """The kind of number that an option takes."""
    if isinstance(option.type, Numbers):
        return option.type.kind
    return int if isinstance(option.type, WholeNumber | Anchors | ExactCells | Shard | Size) else float


def worded(option: click.Option, number: str) -> str:
    """A number in the words that an option takes."""
    kind, name = option.type, option.opts[-1]
    if name in LISTS:
        return LISTS[name].format(number)
    if isinstance(kind, Numbers):
        return f"{number},1,0,1" if kind.count == 4 else ",".join([number] * (kind.count or 1))
    forms: dict[type, str] = {Shard: "1/{}", Threshold: "tau={}", FixedInput: "t={}", Anchors: "0,1,{}"}
    return forms.get(type(kind), "{}").format(number)


def is_taken(option: click.Option, number: str) -> bool:
    """Whether an option takes even this: a number that is merely large, infinity where that is no limit, or the
    name of a file."""
    large = number == "9" * 30 and kind_of(option) is float
    no_limit = (
        isinstance(option.type, AboveZero) and option.type.infinite and number in ("inf", "1e400", "9" * 5000)
    )
    named = isinstance(option.type, Anchors) or (
        isinstance(option.type, FixedInput) and number not in ("", "nan", "inf", "-inf")
    )
    return large or no_limit or named


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """An error where the block takes longer, in place of a suite that never ends."""

    def end(*_: object) -> None:
        raise AssertionError(f"no end after {seconds} s")

    if sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder(nets: Path, splineviz: Command) -> Path:
    assert splineviz("slice", "nets:small", *PLANE, "-o", "cells.npz", "--affine").code == 0
    for step in range(2):
        torch.manual_seed(step)
        sizes = (("0", 6, 8), ("2", 8, 8), ("4", 8, 3))
        net = torch.nn.ModuleDict({name: torch.nn.Linear(n, m) for name, n, m in sizes})
        torch.save(net.state_dict(), nets / f"s-{step}.pt")
    return nets


def test_every_command_is_asked() -> None:
    assert ASKED.keys() == _COMMANDS.keys()
    assert {name for _, name in once()} == {name for _, name in ALL}


@pytest.mark.parametrize("verb", _COMMANDS)
def test_what_is_no_number_is_refused_by_every_option(verb: str, nets: Path, splineviz: Command) -> None:
    for option in options(verb):
        flag, asked = option.opts[-1], [*ASKED[verb]]
        for number in NONE:
            if is_taken(option, number):
                continue
            word = worded(option, number)
            done = splineviz(verb, *asked, flag, word)
            said = [line for line in done.err.splitlines() if line.startswith("Error: ")]
            assert done.code == 2, (flag, word[:50], done)
            assert len(said) == 1 and "expected " in said[0] and "got " in said[0], (flag, word[:50], said)


@pytest.mark.parametrize(("verb", "flag"), once(), ids=lambda word: word)
def test_extreme_numbers_give_a_result_or_one_error(
    verb: str, flag: str, folder: Path, splineviz: Command, recwarn: pytest.WarningsRecorder
) -> None:
    (option,) = (one for one in options(verb) if one.opts[-1] == flag)
    asked = INSTEAD.get(flag, ASKED[verb]) if verb == "slice" else ASKED[verb]
    for number in EXTREME[kind_of(option)]:
        with within(90):
            done = splineviz(verb, *asked, *BESIDE.get((verb, flag), ()), flag, worded(option, number))
        about = (flag, number, done)
        assert done.code in (0, 2, 4, 5, 6), about
        said = [line for line in done.err.splitlines() if line.lower().startswith("error: ")]
        assert len(said) == (1 if done.code in (2, 4) else 0), about
        assert "Traceback" not in done.err and "Warning" not in done.err, about
    assert not [str(one.message) for one in recwarn if issubclass(one.category, RuntimeWarning)]
