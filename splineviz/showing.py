"""Text from outside, such as names, paths and messages of others, as text: a function for each kind of place
where it is shown or kept."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping, Sequence

__all__ = [
    "condensed",
    "in_csv",
    "in_html",
    "in_json",
    "in_line",
    "in_lines",
    "in_markdown",
    "in_picture",
    "in_script",
    "in_unicode",
]

_OF_SCRIPTS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"
"""Characters that words of some languages are spelled with, though they are not printed"""
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that spreadsheets compute; the last four are wide forms of the first"""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&$#]")


def in_line(text: str) -> str:
    r"""Text on one line of a terminal or a picture: whatever is not printed is shown as its code.

    These are control characters, ends of lines, marks that turn the direction of writing, and what stands in
    Python's names of files for bytes that are no UTF-8.

    Examples
    --------
    >>> print(in_line("net\x1b[31m\n\u202etp.py"))
    net\x1b[31m\n\u202etp.py
    >>> print(in_line("Größe 猫"))
    Größe 猫
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _OF_SCRIPTS else _code(c) for c in text)


def in_picture(text: str) -> str:
    """Title or caption in a picture, whose lines are meant as such."""
    return "\n".join(map(in_line, text.split("\n")))


def in_lines(lines: Sequence[str]) -> str:
    """Lines of a representation: a head, and what stands below it, indented."""
    return "\n  ".join(map(in_line, lines))


def in_html(text: str) -> str:
    """Text within an HTML or XML element, or within a quoted attribute.

    Examples
    --------
    >>> in_html("<b>&")
    '&lt;b&gt;&amp;'
    """
    return html.escape(in_line(text))


def in_markdown(text: str) -> str:
    r"""Text within a line, or a cell of a table, of Markdown: no emphasis, no columns, no tags, no formulas.

    Examples
    --------
    >>> print(in_markdown("a_b|<c>"))
    a\_b\|\<c\>
    """
    return _MARKDOWN.sub(r"\\\g<0>", in_line(text))


def condensed(error: BaseException) -> str:
    """The first telling line of an error that is not ours, after the name of its class.

    Examples
    --------
    >>> condensed(ValueError("\\n  sizes differ\\n  and so on")), condensed(KeyError())
    ('ValueError: sizes differ', 'KeyError')
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return f"{type(error).__name__}: {text[:240]}" if text else type(error).__name__


def in_csv(cell: object) -> object:
    r"""Value of a cell in a CSV table; words that a spreadsheet would compute begin with an apostrophe.

    Numbers, also those that are written as words, stay what they are.

    Examples
    --------
    >>> in_csv("=1+1"), in_csv(-1.5), in_csv("-1.5"), in_csv("ship"), in_csv(None)
    ("'=1+1", -1.5, '-1.5', 'ship', None)
    """
    if not isinstance(cell, str):
        return cell
    formula = _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{in_line(cell)}" if formula else in_line(cell)


def in_json(value: object, *, indent: int | None = None) -> str:
    r"""JSON in ASCII, without control characters; numbers that JSON does not have (NaN, infinities) are null.

    Strings are what they were, also those with halves of surrogate pairs.

    Examples
    --------
    >>> print(in_json({"name": "\x7f猫", "mean": float("nan")}))
    {"name": "\u007f\u732b", "mean": null}
    """
    try:
        text = json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), indent=indent, allow_nan=False)
    return text.replace("\x7f", "\\u007f")


def in_script(text: str) -> str:
    r"""JSON within a script element of HTML, which neither ``</script>`` nor ``<!--`` in a string ends.

    Examples
    --------
    >>> print(in_script('["</script>"]'))
    ["\u003c/script>"]
    """
    return text.replace("<", "\\u003c")


def in_unicode(text: str) -> str:
    r"""Text that every encoding of Unicode takes: halves of surrogate pairs are shown as their codes.

    Examples
    --------
    >>> print(in_unicode("caf\udce9\n"), end="")
    caf\udce9
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return list(map(_finite, value))
    return None if isinstance(value, float) and not math.isfinite(value) else value
