"""Do engine and exact oracle agree on tens of thousands of small networks, whatever their coincidences?

``make fuzz`` runs it; ``python -m tests.fuzz --help`` lists the options. Every case is arranged and compared
with rational arithmetic (`tests.oracles.compare`). A failure stops nothing: it is counted, one of each kind
and family is shrunk, and a script that reproduces it is printed and kept. Work is in chunks of one family and
one seed; those that are done, for the code as it is now, are not done again. Figures go into docs/fuzz.json
and docs/fuzz.md, unless only some families were asked for.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from itertools import count, takewhile
from pathlib import Path

from splineviz.files import atomic_path
from tests.fuzz.chunk import Chunk, run_chunk
from tests.fuzz.families import FAMILIES
from tests.fuzz.table import summary, to_markdown
from tests.oracles.harness import CERTIFIES

ROOT = Path(__file__).parents[2]
SIZE = 100
"""Cases in a chunk."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parse(arguments)
    families = [name for name in FAMILIES if not given.only or any(part in name for part in given.only)]
    store = _Store(given.output, given.certify)
    todo = (pair for pair in _rounds(families, given.cases, given.size) if pair not in store.done)
    began = time.monotonic()
    for chunk in _work(todo, store, given, None if given.minutes is None else began + 60 * given.minutes):
        store.add(chunk)
        _say(chunk, given.output)
    figures = summary(store.of(families), given.certify if CERTIFIES else None, given.jobs)
    folder = given.output if given.only else given.docs
    for name, text in (
        ("fuzz.json", json.dumps(figures, indent=1) + "\n"),
        ("fuzz.md", to_markdown(figures)),
    ):
        with atomic_path(folder / name) as path:
            path.write_text(text)
    print(f"{figures['cases']:,} cases, {figures['failures']:,} failures; {folder / 'fuzz.md'}")
    return 1 if figures["failures"] else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Compare the engine with the exact oracle."
    )
    parser.add_argument(
        "--cases", type=int, default=20_000, help="in all, evenly over the families; %(default)s"
    )
    parser.add_argument("--minutes", type=float, help="begin no more chunks after so many")
    parser.add_argument(
        "--jobs", type=int, default=multiprocessing.cpu_count(), help="worker processes; %(default)s"
    )
    parser.add_argument("--only", nargs="+", metavar="PART", help="families whose names contain one of these")
    parser.add_argument(
        "--certify",
        choices=["full", "fast", "off"],
        default="full",
        help="what the engine is asked for; %(default)s",
    )
    parser.add_argument("--size", type=int, default=SIZE, help="cases in a chunk; %(default)s")
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "build/fuzz", help="where chunks and scripts are kept"
    )
    parser.add_argument(
        "--docs", type=Path, default=ROOT / "docs", help="where the figures go when all families run"
    )
    return parser.parse_args(arguments)


def _rounds(families: list[str], cases: int, size: int) -> Iterator[tuple[str, int]]:
    """All families with seed 0, then with seed 1, and so on, until there are so many cases."""
    chunks = ((family, seed) for seed in count() for family in families)
    for _, chunk in zip(range(-(-cases // size)), chunks, strict=False):
        yield chunk


def _work(
    todo: Iterable[tuple[str, int]], store: _Store, given: argparse.Namespace, deadline: float | None
) -> Iterator[Chunk]:
    """Chunks as they are done, never more in work than there are workers; one worker is this process."""
    timely = takewhile(lambda _: deadline is None or time.monotonic() < deadline, todo)
    tasks = ((family, seed, given.size, given.certify, store.kinds(family)) for family, seed in timely)
    if given.jobs == 1:
        yield from (run_chunk(*task) for task in tasks)
        return
    with ProcessPoolExecutor(given.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running: set[Future[Chunk]] = set()
        for task in tasks:
            running.add(pool.submit(run_chunk, *task))
            if len(running) == given.jobs:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in running)


class _Store:
    """The chunks that were run with the code as it is now, one line of JSON each."""

    def __init__(self, folder: Path, certify: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.code = folder / "chunks.jsonl", f"{_digest()}-{certify}"
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        rows = [
            json.loads(line)
            for line in lines
            if line.startswith(f'{{"code": "{self.code}"') and line.endswith("}}")
        ]
        self.chunks = [Chunk(**row["chunk"]) for row in rows]

    @property
    def done(self) -> set[tuple[str, int]]:
        return {(chunk.family, chunk.seed) for chunk in self.chunks}

    def kinds(self, family: str) -> frozenset[str]:
        """Kinds of failure of a family for which there is a script."""
        return frozenset(kind for chunk in self.of([family]) if chunk.scripts for kind in chunk.failures)

    def of(self, families: list[str]) -> list[Chunk]:
        return [chunk for chunk in self.chunks if chunk.family in families]

    def add(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        with self.path.open("a") as file:
            file.write(json.dumps({"code": self.code, "chunk": asdict(chunk)}) + "\n")


def _digest() -> str:
    files = sorted(
        path
        for part in ("splineviz", "tests/oracles", "tests/fuzz", "tests/properties")
        for path in (ROOT / part).rglob("*.py")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _say(chunk: Chunk, folder: Path) -> None:
    print(
        f"{chunk.family}, seed {chunk.seed}: {chunk.cases} cases, {chunk.seconds:.0f} s, "
        f"{chunk.failures or 'no failure'}",
        flush=True,
    )
    for name, script in chunk.scripts.items():
        path = folder / name
        path.write_text(script)
        print(f"--- {path}\n{script}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
