"""Readers of outputs that share no code with what writes them: for each suffix the words that are text there."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow.parquet
from markdown_it import MarkdownIt
from PIL import Image

__all__ = ["READERS", "read_json"]

_TAGS = """a b body button caption details div figcaption figure h1 h2 head html iframe img input meta nav noscript output p path
pre script section style summary svg table tbody td th thead title tr""".split()
_IN_MARKDOWN = """paragraph heading table thead tbody tr th td strong text code_block html_block image inline
softbreak""".split()


def read_json(text: str) -> Iterator[str]:
    """All strings of a JSON text, which may hold no number that JSON does not have."""

    def refuse(name: str) -> float:
        raise AssertionError(name)

    yield from _strings(json.loads(text, parse_constant=refuse))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for entry in value.values():
            yield from _strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _strings(entry)


class _Page(HTMLParser):
    """Words and attributes of a page; no tag that our pages do not have, each one closed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        assert not any(name.startswith("on") for name, _ in attrs)
        self.found += [value for _, value in attrs if value is not None]
        if tag not in ("meta", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"] and data.startswith("{"):
            assert "<" not in data  # a browser reads <!-- and <script within scripts, too
            self.found += read_json(data)
        elif self.open[-1:] != ["script"]:
            self.found.append(data)


def _html(path: Path) -> Iterator[str]:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert not page.open
    yield from page.found


def _markdown(path: Path) -> Iterator[str]:
    for block in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        for token in (block, *(block.children or ())):
            kind = re.sub("_(open|close)$", "", token.type)
            assert kind in _IN_MARKDOWN, token
            if kind == "html_block":
                assert re.fullmatch(r"<details>\n<summary>[^<]*</summary>\n|</details>\n", token.content)
            elif kind == "inline":
                yield "".join(child.content for child in token.children or ())
            else:
                yield token.content


def _svg(path: Path) -> Iterator[str]:
    for words in ET.fromstring(path.read_bytes()).itertext():
        yield from read_json(words) if words.startswith("{") else [words]


def _csv(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    for row in rows:
        assert len(row) == len(head)
        for cell in row:
            assert not re.match(r"[=+\-@\t\r]", cell) or float(cell) == float(cell)
            yield cell


def _parquet(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        opened = pyarrow.parquet.ParquetFile(file)
        yield from read_json(opened.metadata.metadata[b"splineviz"].decode())
        table = opened.read()
    for column in table.columns:
        yield from _strings(column.to_pylist())


def _npz(path: Path) -> Iterator[str]:
    with np.load(path, allow_pickle=False) as content:
        yield from read_json(str(content["meta"]))


def _image(path: Path) -> Iterator[str]:
    with Image.open(path) as image:
        image.load()
        texts = [image.info.get("splineviz"), image.info.get("comment"), image.getexif().get(0x010E)]
    (card,) = [text for text in texts if text]
    yield from read_json(card.decode() if isinstance(card, bytes) else card)


def _pdf(path: Path) -> Iterator[str]:
    found = re.search(rb"/Keywords \((.*?[^\\])\)", path.read_bytes(), re.DOTALL)
    assert found
    yield from read_json(re.sub(rb"\\([()\\])", rb"\1", found[1]).decode("ascii"))


def _mp4(path: Path) -> Iterator[str]:
    content = path.read_bytes()
    begin = content.index(b'{"checkpoints"')
    yield from read_json(content[begin : content.rindex(b"}") + 1].decode("ascii"))


def _json(path: Path) -> Iterator[str]:
    return read_json(path.read_text(encoding="ascii"))


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    **dict.fromkeys((".png", ".apng", ".gif", ".webp"), _image),
    **dict.fromkeys((".json", ".geojson"), _json),
    ".csv": _csv,
    ".html": _html,
    ".md": _markdown,
    ".mp4": _mp4,
    ".npz": _npz,
    ".parquet": _parquet,
    ".pdf": _pdf,
    ".svg": _svg,
}
