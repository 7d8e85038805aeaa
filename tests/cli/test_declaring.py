"""Options that are made from fields: types, defaults, groups in groups, and what one command takes of
another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from splineviz_cli.commands import cli
from splineviz_cli.declaring import argument, flag, generated, option, same, values
from splineviz_cli.number_types import Numbers


@dataclass(frozen=True, kw_only=True)
class Extent:
    width: int = option("--width", default=3, help="Of it.")
    scale: tuple[float, ...] = option("--scale", type=Numbers(float), default=(1.0, 0.5))


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    height: int = option("--height", default=3, help="Of it.")


@dataclass(frozen=True, kw_only=True)
class Request:
    name: str = argument()
    size: Extent
    style: Literal["plain", "bold"] = option("--style", default="plain")
    tags: tuple[str, ...] = option("--tag", type=str, multiple=True)
    seed: int = option("-s", "--seed", default=0)
    loud: bool = flag("--loud")
    limit: float | None = option("--limit")
    height: int = same(Elsewhere, "height", help="Of the other.")


@dataclass(frozen=True, kw_only=True)
class Other:
    key: str = option("--key", required=True)


made: list[Any] = []


@click.command(context_settings={"show_default": True})
@generated(Request, Other)
def command(request: Request, other: Other) -> None:
    """Do nothing."""
    made[:] = [request, other]


def called(*arguments: str) -> Any:
    return CliRunner().invoke(command, arguments)


def test_a_command_gets_instances_of_its_groups() -> None:
    assert called("a", "--key", "k").exit_code == 0
    assert made == [Request(name="a", size=Extent()), Other(key="k")]
    assert (
        called("a", "--key", "k", *"--width 5 --scale 2,3 --style bold --tag x --tag y".split()).exit_code
        == 0
    )
    expected = Request(name="a", size=Extent(width=5, scale=(2.0, 3.0)), style="bold", tags=("x", "y"))
    assert made[0] == expected
    assert called("a", "--key", "k", "--loud", "--limit", "0.5", "-s", "7").exit_code == 0
    assert made[0] == Request(name="a", size=Extent(), loud=True, limit=0.5, seed=7)


def test_options_stand_in_the_order_of_fields_with_their_defaults() -> None:
    names = [parameter.name for parameter in command.params]
    assert names == "name width scale style tags seed loud limit height key".split()
    text = " ".join(called("--help").output.split())
    assert "--scale NUMBERS [default: 1,0.5]" in text and "--style [plain|bold] [default: plain]" in text
    assert "-s, --seed INTEGER [default: 0]" in text and "--limit FLOAT" in text
    assert "Of the other." in text and "--key TEXT [required]" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a",), "Missing option '--key'"),
        (("--key", "k"), "Missing argument 'NAME'"),
        (("a", "--key", "k", "--style", "thin"), "is not one of 'plain', 'bold'"),
        (("a", "--key", "k", "--width", "x"), "expected a whole number, got 'x'"),
    ],
)
def test_what_is_wrong_is_said_by_click(arguments: tuple[str, ...], words: str) -> None:
    done = called(*arguments)
    assert done.exit_code == 2 and words in done.output


def test_values_are_those_of_all_groups() -> None:
    request = Request(name="a", size=Extent(width=4))
    flat = values(request)
    assert flat["width"] == 4 and flat["scale"] == (1.0, 0.5) and flat["name"] == "a" and "size" not in flat


@pytest.mark.parametrize(
    "name", ["animate", "check", "compare", "estimate", "inspect", "lines", "slice", "validate"]
)
def test_no_command_declares_a_name_or_a_flag_twice(name: str) -> None:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    for words in ([p.name for p in found.params], [word for p in found.params for word in p.opts]):
        assert len(words) == len(set(words))
