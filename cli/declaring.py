"""Options as fields of frozen dataclasses, from which click's options are made.

A group is a frozen dataclass whose fields are made by :func:`option`, :func:`flag`, :func:`argument` and
:func:`same`, or are groups themselves. The order of its fields is the order in ``--help``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, field, fields
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from .number_types import Number, Numbers, WholeNumber

__all__ = ["Reads", "argument", "flag", "generated", "names_read", "option", "same", "values"]

Reads = Literal["file", "pictures", "weights"]
"""Kind of input that an option names: a file, or also a folder or a pattern of files of a kind"""


def option(*flags: str, default: Any = None, **how: Any) -> Any:
    """A field that is an option: its ``flags``, its default as the command sees it, and what else
    :func:`click.option` takes. The type is that of the field, unless ``type`` says how a word is read;
    ``reads`` tells that it names what is read."""
    if how.get("multiple") and default is None:
        default = ()
    default = MISSING if how.get("required") else default
    return field(default=default, metadata={"flags": flags, **how})


def flag(*flags: str, **how: Any) -> Any:
    """A field that is an option without a value, off by default."""
    return option(*flags, default=False, is_flag=True, **how)


def argument(**how: Any) -> Any:
    """A field that is an argument: what :func:`click.argument` takes, and ``reads`` as for an option."""
    return field(metadata={"flags": (), **how})


def same(group: type[Any], name: str, **changes: Any) -> Any:
    """The option ``name`` of another group, with changes such as another ``help`` or ``default``."""
    (declared,) = (one for one in fields(group) if one.name == name)
    default = changes.pop("default", declared.default)
    return field(default=default, metadata={**declared.metadata, **changes})


def values(group: Any) -> dict[str, Any]:
    """The values of all options by name, those of groups in a group among them."""
    found: dict[str, Any] = {}
    for one in fields(group):
        value = getattr(group, one.name)
        found |= {one.name: value} if one.metadata else values(value)
    return found


def names_read(group: Any) -> Iterator[tuple[str, Reads]]:
    """Names of what is read among the values of all options, as far as they name files."""
    for one in fields(group):
        value = getattr(group, one.name)
        if not one.metadata:
            yield from names_read(value)
        elif "reads" in one.metadata:
            yield from ((name, one.metadata["reads"]) for name in _words(value))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _words(part)


def generated(*groups: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of some groups to a command, which is called with an instance of each."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def call(**given: Any) -> Any:
            return command(*(_made(group, given) for group in groups))

        for parameter in reversed([one for group in groups for one in _parameters(group)]):
            call = parameter(call)
        return call

    return decorate


def _made(group: type[Any], given: dict[str, Any]) -> Any:
    """An instance of a group, from the values of all options by name."""
    hints = get_type_hints(group)
    return group(
        **{
            one.name: given[one.name] if one.metadata else _made(hints[one.name], given)
            for one in fields(group)
        }
    )


def _parameters(group: type[Any]) -> Iterator[Callable[[Any], Any]]:
    """A decorator of click's for each option, in order; of groups in a group where they stand."""
    hints = get_type_hints(group)
    for one in fields(group):
        if not one.metadata:
            yield from _parameters(hints[one.name])
            continue
        flags = one.metadata["flags"]
        how = {name: value for name, value in one.metadata.items() if name not in ("flags", "reads")}
        if flags:
            yield click.option(*flags, one.name, **(_of_field(one, hints[one.name]) | how))
        else:
            yield click.argument(one.name, **how)


def _of_field(one: Field[Any], hint: Any) -> dict[str, Any]:
    """Type and default that a field tells, for :func:`click.option`."""
    kinds = (
        [kind for kind in get_args(hint) if kind is not NoneType] if NoneType in get_args(hint) else [hint]
    )
    found: dict[str, Any] = {"type": {int: WholeNumber(), float: Number()}.get(kinds[0], kinds[0])}
    if get_origin(kinds[0]) is Literal:
        found["type"] = click.Choice(get_args(kinds[0]))
    if kinds[0] is bool and one.default is None:
        found["default"] = None  # else a flag that is not given is off
    if one.default is not MISSING and one.default not in (None, ()):
        numbers = isinstance(one.metadata.get("type"), Numbers)
        found["default"] = ",".join(f"{x:g}" for x in one.default) if numbers else one.default
    return found
