"""Defaults for options from a TOML file, read word by word as they would stand on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from splineviz.errors import InputError
from splineviz.readable import check_readable

from .number_types import Numbers
from .outputs import CONFIG
from .value_types import Anchors, Words

__all__ = ["read_config"]


def read_config(ctx: click.Context, _option: click.Parameter, path: Path | None) -> None:
    """Take the defaults of every command from a file.

    Raises
    ------
    InputError
        If it cannot be read, or holds something that is no option of a command, or no value of an option.
    """
    if path is None:
        return
    check_readable(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"cannot read the configuration {path}: {error}",
            hint="a file in TOML, such as: [slice], and below it max-cells = 1000",
        ) from error
    assert isinstance(ctx.command, click.Group)
    names = ctx.command.list_commands(ctx)
    if stray := [name for name, table in tables.items() if name not in names or not isinstance(table, dict)]:
        raise InputError(
            f"{path} may hold one table per command ({', '.join(f'[{name}]' for name in names)}), "
            f"found {', '.join(stray)}"
        )
    ctx.meta[CONFIG] = path
    ctx.default_map = {name: _table(ctx, ctx.command, path, name, table) for name, table in tables.items()}


def _table(
    ctx: click.Context, group: click.Group, path: Path, name: str, table: dict[str, Any]
) -> dict[str, Any]:
    """Values of the options of one command, by the names of its parameters."""
    command = group.get_command(ctx, name)
    assert command is not None
    known = {
        flag.lstrip("-"): option
        for option in command.params
        if isinstance(option, click.Option)
        for flag in option.opts
    }
    if stray := [key for key in table if key not in known]:
        raise InputError(
            f"{path}: [{name}] has no option {', '.join(stray)}", hint=f"splineviz {name} --help"
        )
    found = {}
    for key, value in table.items():
        try:
            found[str(known[key].name)] = _value(ctx, known[key], value)
        except (click.BadParameter, OverflowError) as error:
            reason = error.message if isinstance(error, click.BadParameter) else error
            raise InputError(f"{path}: [{name}] {key}: {reason}", hint=f"splineviz {name} --help") from error
    return found


def _value(ctx: click.Context, option: click.Option, value: object) -> bool | str | list[str]:
    """The words that say a value on the command line; raises `click.BadParameter` where they are none of the
    option's."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise click.BadParameter(f"expected true or false, got {value!r}")
        return value
    if option.multiple:
        words = [_word(one) for one in (value if isinstance(value, list) else [value])]
        option.type_cast_value(ctx, words)
        return words
    listed = isinstance(value, list) and isinstance(option.type, Anchors | Numbers | Words)
    word = ",".join(map(_word, value)) if listed and isinstance(value, Sequence) else _word(value)
    option.type_cast_value(ctx, word)
    return word


def _word(value: object) -> str:
    if isinstance(value, bool | dict | list):
        raise click.BadParameter(f"expected one word or number, got {value!r}")
    return str(value)
