"""A reader of pages that shares no code with what writes them: NumPy and the order that the format tells."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

import numpy as np

__all__ = ["Decoded", "parts_of", "scene_of_page"]

_BLOCK = re.compile(r'<script type="[^"]*" id="([\w-]+)">(.*?)</script>', re.DOTALL)


def parts_of(page: str) -> dict[str, str]:
    """The data blocks of a page by their ids."""
    return dict(_BLOCK.findall(page))


def scene_of_page(page: str) -> dict[str, Any]:
    return json.loads(parts_of(page)["scene"])


class Decoded:
    """The cells of one panel."""

    def __init__(self, card: dict[str, Any], block: str | bytes) -> None:
        self.card = card
        data = np.frombuffer(zlib.decompress(base64.b64decode(block)), dtype=np.uint8)
        ends = np.cumsum([length for _, length in card["sections"]])
        assert ends[-1] == len(data)
        names = [name for name, _ in card["sections"]]
        self.parts = dict(zip(names, np.split(data, ends[:-1]), strict=True))
        lengths = self.varints("lengths")
        self.first = np.concatenate([[0], np.cumsum(lengths)])
        self.corners = self._corners()
        steps = np.stack([self._zigzag(self.planes(name, 7)) for name in "uv"], 1)
        self.whole = np.cumsum(steps, axis=0)
        self.uv = np.array(card["corner"]) + card["extent"] * (self.whole / 2.0**50)

    def varints(self, name: str) -> np.ndarray:
        found, number, shift = [], 0, 0
        for byte in self.parts[name].tolist():
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                found.append(number)
                number = shift = 0
        assert shift == 0
        return np.array(found, dtype=np.int64)

    def planes(self, name: str, n_bytes: int) -> np.ndarray:
        rows = self.parts[name].reshape(n_bytes, -1).astype(np.uint64)
        return sum(row << np.uint64(8 * k) for k, row in enumerate(rows)).astype(np.int64)

    def singles(self, name: str) -> np.ndarray:
        return np.ascontiguousarray(self.parts[name].reshape(4, -1).T).view("<f4")[:, 0]

    @staticmethod
    def _zigzag(numbers: np.ndarray) -> np.ndarray:
        return np.where(numbers % 2, -(numbers + 1) // 2, numbers // 2)

    def _corners(self) -> np.ndarray:
        found, newest = [], -1
        for back in self.varints("corners").tolist():
            newest += back == 0
            found.append(newest if back == 0 else newest - back + 1)
        return np.array(found, dtype=np.int64)

    def polygon(self, cell: int) -> np.ndarray:
        return self.uv[self.corners[self.first[cell] : self.first[cell + 1]]]

    def edges(self) -> dict[tuple[int, int], tuple[int, list[int]]]:
        """Number of each edge, by its two vertices, and the cells that have it, first to last."""
        found: dict[tuple[int, int], tuple[int, list[int]]] = {}
        for cell in range(len(self.first) - 1):
            ids = self.corners[self.first[cell] : self.first[cell + 1]].tolist()
            for a, b in zip(ids, [*ids[1:], ids[0]], strict=True):
                found.setdefault((min(a, b), max(a, b)), (len(found), []))[1].append(cell)
        return found

    def values(self, output: int) -> np.ndarray:
        """An output at all vertices, read in the order in which it was written."""
        away = self._zigzag(self.varints(f"value {output}")).tolist()
        step, points = self.card["steps"][output], self.whole / 2.0**50
        cells = [self.corners[a:b].tolist() for a, b in zip(self.first[:-1], self.first[1:], strict=True)]
        of_vertex: list[list[int]] = [[] for _ in points]
        for cell, ids in enumerate(cells):
            for vertex in ids:
                of_vertex[vertex].append(cell)
        value: dict[int, float] = {}
        for start in range(len(cells)):
            while any(vertex not in value for vertex in cells[start]):
                stack = [start]
                while stack:
                    cell = stack.pop()
                    unknown = [vertex for vertex in cells[cell] if vertex not in value]
                    triangle = self._triangle([v for v in cells[cell] if v in value], points)
                    if not unknown or (triangle is None and cell != start):
                        continue
                    for vertex in unknown if triangle else unknown[:1]:
                        guess = self._guess(triangle, points, value, vertex) if triangle else 0.0
                        value[vertex] = guess + away[len(value)] * step
                        known = [sum(v in value for v in cells[near]) for near in of_vertex[vertex]]
                        stack += [near for near, n in zip(of_vertex[vertex], known, strict=True) if n >= 3]
        assert len(value) == len(away) == len(points)
        return np.array([value[vertex] for vertex in range(len(points))])

    @staticmethod
    def _triangle(known: list[int], points: np.ndarray) -> list[int] | None:
        if not known:
            return None
        one = known[0]
        squares = [float(((points[v] - points[one]) ** 2).sum()) for v in known]
        two = known[int(np.argmax(squares))]
        (u, v) = points[two] - points[one]
        areas = [
            abs(u * (points[k, 1] - points[one, 1]) - (points[k, 0] - points[one, 0]) * v) for k in known
        ]
        return [one, two, known[int(np.argmax(areas))]] if max(areas) > 2.0**-7 * max(squares) else None

    @staticmethod
    def _guess(triangle: list[int], points: np.ndarray, value: dict[int, float], vertex: int) -> float:
        one, two, three = triangle
        (au, av), (bu, bv), (pu, pv) = (points[k] - points[one] for k in (two, three, vertex))
        area = au * bv - bu * av
        s, t = (pu * bv - bu * pv) / area, (au * pv - pu * av) / area
        return value[one] + (s * (value[two] - value[one]) + t * (value[three] - value[one]))
