"""Every way to show text, on every kind of text that has ever meant something else somewhere."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from splineviz import showing
from splineviz.errors import InputError, SplinevizWarning
from splineviz.showing import (
    condensed,
    in_csv,
    in_html,
    in_json,
    in_line,
    in_lines,
    in_markdown,
    in_picture,
    in_script,
    in_unicode,
)

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "title of the window": "\x1b]0;owned\x07",
    "bell, backspace, nul": "a\x07\x08\x00\x7f\x9b",
    "lines": "a\nb\r\nc\rd\x0be\x0cf\x85g\u2028h\u2029i",
    "tab": "\ta\t",
    "turned": "\u202egpj.exe\u2066\u2069\u200f\u200e\u061c",
    "unseen": "a\u200b\ufeff\u00ad\U000e0041b",
    "no character": "\ufffe\uffff\ud800 \udfff",
    "bytes": os.fsdecode(b"caf\xe9"),
    "script": "</script><script>alert(1)</script>",
    "comment": "<!--<script>-->",
    "attribute": "\"' onerror=alert(1) x=`",
    "entity": "&lt;&#x1b;&amp;",
    "data": "]]>?><![CDATA[",
    "template": "{{card}}{% raw %}${x}{0}%s",
    "formula": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "wide": "\uff1d1",
    "table": 'a,b;"c"|d',
    "emphasis": "*a* _b_ `c` ~~d~~ **e** # f > g",
    "link": "[a](http://b) ![c](d) <http://e>",
    "mathematics": "$x^2$ $$y$$ \\frac",
    "underscore": "_nolegend_",
    "path": "../../etc/passwd",
    "words": "Größe 猫 שלום العربية नमस्ते 👩\u200d🔬 \u3000",
    "nothing": "",
}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("p", "script"), tag
        self.found += [value or "" for _, value in attrs]

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def _words(page: str) -> list[str]:
    words = _Words()
    words.feed(page)
    words.close()
    return words.found


def _line(text: str) -> None:
    shown = in_line(text)
    assert shown == in_line(shown)
    assert len(shown.splitlines()) <= 1
    assert not any(character in shown for character in "\x1b\x07\x08\x00\x7f\x9b\u202e\u200f\u2066\u200b\t")
    shown.encode()


def _lines(text: str) -> None:
    assert in_lines([text, text]) == f"{in_line(text)}\n  {in_line(text)}"


def _picture(text: str) -> None:
    assert in_picture(f"{text}\n{text}").split("\n")[-1] == in_line(text.rsplit("\n", maxsplit=1)[-1])


def _html(text: str) -> None:
    (attribute, *words) = _words(f'<p title="{in_html(text)}">{in_html(text)}</p>')
    assert attribute == "".join(words) == in_line(text)


def _markdown(text: str) -> None:
    block = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for before, after, place in (("x ", " y", 1), ("| h |\n| --- |\n| ", " |\n", -1)):
        inlines = [token for token in block.parse(f"{before}{in_markdown(text)}{after}") if token.children]
        if text:
            children = inlines[0 if place == 1 else -1].children or []
            assert {child.type for child in children} <= {"text", "text_special"}
            shown = "".join(child.content for child in children)
            assert in_line(text).strip() in shown


def _csv(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerow([in_csv(text), in_csv(-1.5), 1])
    (row,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert row[0].removeprefix("'") == in_line(text).removeprefix("'")
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))
    assert row[1:] == ["-1.5", "1"]


def _json(text: str) -> None:
    shown = in_json({text: [text, math.nan, -math.inf, 1.5]})
    assert shown.isascii() and shown.isprintable()
    assert json.loads(shown) == {text: [text, None, None, 1.5]}


def _script(text: str) -> None:
    (words,) = _words(f"<script>{in_script(in_json([text]))}</script>")
    assert json.loads(words) == [text] and "<" not in words


def _unicode(text: str) -> None:
    assert in_unicode(text).encode().decode() == in_unicode(text)
    assert in_unicode(text) == text or not text.isprintable()


def _condensed(text: str) -> None:
    assert len(condensed(ValueError(text)).splitlines()) == 1


SINKS: dict[str, Callable[[str], None]] = {
    "condensed": _condensed,
    "in_csv": _csv,
    "in_html": _html,
    "in_json": _json,
    "in_line": _line,
    "in_lines": _lines,
    "in_markdown": _markdown,
    "in_picture": _picture,
    "in_script": _script,
    "in_unicode": _unicode,
}


def test_no_sink_is_left_out() -> None:
    assert list(SINKS) == showing.__all__


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("sink", SINKS)
def test_text_is_text(sink: str, text: str) -> None:
    SINKS[sink](text)


@pytest.mark.parametrize("number", ["-1.5", "+2", "-1e-3", ".5", "-.5e+2"])
def test_numbers_in_words_stay_numbers(number: str) -> None:
    assert in_csv(number) == number


def test_words_that_are_spelled_with_joiners_stay_whole() -> None:
    assert in_line(HOSTILE["words"]) == HOSTILE["words"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_errors_and_warnings_are_lines_of_their_own(text: str) -> None:
    error = InputError(f"no {text}", details=[text], hint=text, code=[text])
    message, *below = str(error).split("\n")
    assert message == f"no {in_line(text)}" and below[1] == f"  try: {in_line(text)}" and len(below) == 3
    assert error.for_command() == str(error)
    assert str(SplinevizWarning(text)) == in_line(text)
