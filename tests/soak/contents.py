"""Files by what they hold: whole or not, and a digest in which times do not count."""

from __future__ import annotations

import hashlib
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

import splineviz as sv

__all__ = ["UnreadableError", "digest", "files_below", "timeless", "words"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

_TIMED = ("seconds", "spent")
"""One of these in the name of an entry: it is a time"""
_SEAL = re.compile(rb"\n<!-- splineviz sha256 [0-9a-f]{64} -->\n\Z")
"""At the end of files of a store, a digest of what is before it"""
_COSTS = "exact_to_plain"
"""An entry of JSON objects in which all numbers are times, or quotients of times"""
_TIMED_SENTENCE = "Time of an exact count"


class UnreadableError(Exception):
    """A file that its reader does not take: half written, or damaged."""


def files_below(folder: Path) -> dict[str, Path]:
    """Every file below a folder by its relative path, with the empty folders, whose names end in a slash."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_dir():
            found[str(path.relative_to(folder))] = path
        elif not any(path.iterdir()):
            found[f"{path.relative_to(folder)}/"] = path
    return found


def digest(path: Path) -> str:
    """A digest of what a file holds, without times; equal files of equal kinds have equal ones.

    Raises
    ------
    UnreadableError
        If the reader of its suffix does not take all of it. Of a suffix without a reader the bytes count.
    """
    if path.is_dir():
        return "folder"
    if not path.stat().st_size:
        raise UnreadableError("empty")
    try:
        held = _READERS.get(path.suffix.lower(), bytes)(_SEAL.sub(b"", path.read_bytes()))
        if path.suffix == ".npz" and _is_arrangement(path):
            sv.load(path).check()
    except Exception as error:  # whatever a reader raises is its word for a file that it does not take
        raise UnreadableError(f"{type(error).__name__}: {error}") from error
    return hashlib.sha256(held).hexdigest()[:16]


def _json(held: bytes) -> bytes:
    return timeless(json.loads(held.decode()))


def timeless(held: Json) -> bytes:
    """JSON without times, in one form."""
    return json.dumps(_without_times(held), sort_keys=True).encode()


def _without_times(held: Json) -> Json:
    if isinstance(held, dict):
        return {
            key: _without_times(value)
            for key, value in held.items()
            if not _is_time(key) and not (_COSTS in held and isinstance(value, float))
        }
    if isinstance(held, list):
        return [_without_times(value) for value in held]
    return "" if isinstance(held, str) and _TIMED_SENTENCE in held else held


def _is_time(name: str) -> bool:
    return any(word in name for word in _TIMED)


def _npz(held: bytes) -> bytes:
    made = hashlib.sha256()
    with np.load(io.BytesIO(held), allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            array = arrays[name]
            if _is_time(name):
                continue
            made.update(f"{name} {array.dtype.kind} {array.shape}".encode())
            made.update(_text_entry(array) if array.dtype.kind == "U" else array.tobytes())
    return made.digest()


def _is_arrangement(path: Path) -> bool:
    with np.load(path, allow_pickle=False) as arrays:
        return {"vertices", "cell_edges"} <= set(arrays.files)


def _text_entry(array: np.ndarray) -> bytes:
    """Strings, of which those that are JSON are read as such."""
    parts = []
    for text in array.ravel().tolist():
        try:
            parts.append(timeless(json.loads(text)))
        except ValueError:
            parts.append(text.encode())
    return b"\0".join(parts)


def _parquet(held: bytes) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(held))
    card = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    told: Json = {
        key: json.loads(value) if value.startswith("{") else value
        for key, value in card.items()
        if key != "ARROW:schema"
    }
    columns = json.dumps(table.to_pydict(), sort_keys=True, default=str).encode()
    return timeless(told) + columns


def _picture(held: bytes) -> bytes:
    """Its bytes, once all frames can be read; Pillow does not mind where the very end is missing."""
    from PIL import Image

    with Image.open(io.BytesIO(held)) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            image.load()
        whole = {
            "PNG": held.endswith(b"IEND\xaeB`\x82"),
            "GIF": held.endswith(b";"),
            "WEBP": int.from_bytes(held[4:8], "little") + 8 == len(held),
        }
        if not whole[str(image.format)]:
            raise ValueError("no end")
    return held


def _svg(held: bytes) -> bytes:
    ET.fromstring(held)
    return held


def _pdf(held: bytes) -> bytes:
    if not (held.startswith(b"%PDF") and held.rstrip().endswith(b"%%EOF")):
        raise ValueError("no beginning or no end")
    return held


def _html(held: bytes) -> bytes:
    text = held.decode()
    if not text.rstrip().endswith("</html>"):
        raise ValueError("no end")
    return words(text)


def _markdown(held: bytes) -> bytes:
    text = held.decode()
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    return words(text)


def words(text: str) -> bytes:
    """A text with all its numbers alike: reports tell times, and their .json tells the numbers."""
    return re.sub(r"\d+([.,]\d+)*(e[+-]?\d+)?", "#", text).encode()


def _csv(held: bytes) -> bytes:
    lines = held.decode().split("\n")
    if lines[-1] or len({line.count(",") for line in lines[:-1]}) != 1:
        raise ValueError("a row is cut off")
    return held


def _checkpoint(held: bytes) -> bytes:
    return _tensors(torch.load(io.BytesIO(held), map_location="cpu", weights_only=True))


def _tensors(held: object) -> bytes:
    """Not the bytes of the file: in them torch keeps the name that it was written under."""
    if isinstance(held, dict):
        return b"".join(repr(name).encode() + _tensors(value) for name, value in held.items())
    return held.numpy().tobytes() if isinstance(held, torch.Tensor) else repr(held).encode()


_READERS: dict[str, Callable[[bytes], bytes]] = {
    ".json": _json,
    ".geojson": _json,
    ".npz": _npz,
    ".parquet": _parquet,
    ".png": _picture,
    ".webp": _picture,
    ".apng": _picture,
    ".gif": _picture,
    ".svg": _svg,
    ".pdf": _pdf,
    ".html": _html,
    ".md": _markdown,
    ".csv": _csv,
    ".pt": _checkpoint,
}
