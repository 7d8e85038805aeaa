"""Equal functions by construction: entries that one computation makes of the same numbers.

Where a picture is flat, pixels repeat, or filters do, thousands of entries are one function of the plane. No
error bound tells two equal numbers apart from close ones, but the way they were made does: the program is run
once in several finite fields, at a random point of the plane, with a random function in place of each bend.
Entries with the same residues in all fields are one function, but for a chance of 2^-100 or so (Schwartz,
Zippel).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from splineviz.exact.digits import InexactError
from splineviz.exact.fields import PRIMES, Residues, affine, in_fields, reduced
from splineviz.plane import Plane
from splineviz.program.interpret import Interpreter
from splineviz.program.nodes import Maximum, Pointwise
from splineviz.program.program import Program
from splineviz.program.rows import as_rows

__all__ = ["equal_entries", "kinds_of"]

_MANY_PLANES = 8
"""Beyond, looking for equal functions takes longer than they do"""

_KNOWN: MutableMapping[Program, dict[tuple[Plane, ...], Mapping[int, np.ndarray] | None]] = (
    WeakIdKeyDictionary()
)
"""By program and planes; for all threads"""

_LOCK = threading.Lock()

_KEPT = 16
"""Sets of planes of one program"""


def equal_entries(program: Program, planes: Iterable[Plane]) -> Mapping[int, np.ndarray] | None:
    """By stage, (n,) a number for each entry of the tensor that enters it: entries with one number, of one
    stage or of two, are one function on all planes. None for many planes, and where a node has no form in
    whole numbers."""
    distinct: dict[Plane, None] = {}
    for plane in planes:
        distinct[plane] = None
        if len(distinct) > _MANY_PLANES:
            return None
    key = tuple(distinct)
    with _LOCK:
        known = _KNOWN.setdefault(program, {})
        if key in known:
            return known[key]
    numbered = _numbered([_residues(program, plane) for plane in key])
    with _LOCK:
        while len(known) >= _KEPT:
            del known[next(iter(known))]
        known[key] = numbered
    return numbered


def _numbered(tables: Sequence[dict[int, np.ndarray] | None]) -> dict[int, np.ndarray] | None:
    """By stage, the same number for entries with the same residues in all tables."""
    known = [table for table in tables if table is not None]
    if len(known) < len(tables) or not known:
        return None
    stages = list(known[0])
    columns = [np.concatenate([table[stage] for table in known]) for stage in stages]
    if not columns:
        return {}
    numbers = np.unique(np.concatenate(columns, axis=1), axis=1, return_inverse=True)[1].reshape(-1)
    ends = np.cumsum([column.shape[1] for column in columns])[:-1]
    return dict(zip(stages, np.split(numbers, ends), strict=True))


def kinds_of(node: Pointwise, equal: np.ndarray) -> np.ndarray:
    """(K n,) a number for each unit of a node: units with one number switch alike, everywhere."""
    rows = np.stack([np.tile(equal, len(node.kinks)).astype(np.float64), node.kinks.reshape(-1)])
    kinds: np.ndarray = np.unique(rows, axis=1, return_inverse=True)[1].reshape(-1)
    return kinds


def _residues(program: Program, plane: Plane) -> dict[int, np.ndarray] | None:
    """By stage, (fields, n) residues of the entries of the tensor that enters it."""
    random = np.random.default_rng(0)
    places = random.integers(1, min(PRIMES), (len(PRIMES), 2)).astype(np.float64)
    frame = in_fields(torch.from_numpy(np.concatenate([plane.origin[None], plane.basis])))
    start = frame[:, 0] + torch.from_numpy(places[:, :1]) * frame[:, 1]
    start = reduced(reduced(start) + torch.from_numpy(places[:, 1:]) * frame[:, 2])
    found: dict[int, np.ndarray] = {}

    def bend(node: Pointwise | Maximum, x: Residues) -> Residues:
        flat = as_rows(x.values).numpy()
        found[node.stage] = flat
        if isinstance(node, Pointwise):
            own = [t.detach().expand(-1, *node.shape).reshape(len(t), -1).numpy() for t in _tables(node)]
            keys, seed = np.concatenate([flat, *own]), 0  # what bends alike is one function in any stage
        else:
            names = np.unique(flat, axis=1, return_inverse=True)[1].reshape(-1)
            rows = np.where(node.windows >= 0, names[node.windows], -1)
            keys = np.sort(rows, axis=1).T.astype(np.float64)
            keys[1:][keys[1:] == keys[:-1]] = -1.0  # a window is a set
            keys, seed = np.sort(keys, axis=0), node.stage + 1  # names are those of one stage
        out = _random_function(keys, seed)
        shape = node.shape if isinstance(node, Pointwise) else node.output_shape
        return replace(x, values=torch.from_numpy(out).reshape(len(PRIMES), 1, *shape))

    try:
        one = torch.ones(1, dtype=torch.float64)
        program.interpret(
            Residues(start.reshape(-1, 1, *program.input_shape), one), Interpreter(affine, bend, bend)
        )
    except InexactError:
        return None
    return found


def _tables(node: Pointwise) -> tuple[Tensor, Tensor, Tensor]:
    return node.breakpoints, node.slopes, node.intercepts


def _random_function(keys: np.ndarray, seed: int) -> np.ndarray:
    """(fields, n) residues for columns of keys, one for equal columns."""
    state = np.full((2, keys.shape[1]), 0x9E3779B97F4A7C15 + seed, dtype=np.uint64)
    state[1] ^= np.uint64(0xD1B54A32D192ED03)
    for row in keys:
        bits = np.ascontiguousarray(row + 0.0).view(np.uint64)
        for lane in range(2):
            state[lane] = _mixed(state[lane] ^ (bits * np.uint64(0xFF51AFD7ED558CCD + 2 * lane)))
    rows = []
    for i, prime in enumerate(PRIMES):
        words = _mixed(state[i % 2] + np.uint64(i))
        rows.append((words % np.uint64(prime)).astype(np.float64))
    return np.stack(rows)


def _mixed(x: np.ndarray) -> np.ndarray:
    """Bits of 64-bit words scrambled (the finaliser of MurmurHash3; public domain, A. Appleby)."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        mixed: np.ndarray = x ^ (x >> np.uint64(33))
    return mixed
