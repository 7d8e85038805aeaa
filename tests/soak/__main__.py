"""Is nothing lost when commands are killed, disks are full, clocks jump and stores are damaged?

``make soak`` runs it; ``python -m tests.soak --help`` lists the options. A trial draws a command, small
inputs, some of them hostile, and a fault (`tests.soak.trial`). A failure stops nothing: it is counted, its
folder is kept, and ``python -m tests.soak --round SEED`` runs it again. Trials that are done, for the code as
it is now, are not done again. Figures go into docs/soak.json, and from there into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import count, takewhile
from pathlib import Path

from splineviz.files import atomic_path
from tests.soak.figures import summary
from tests.soak.page import write_page
from tests.soak.trial import Trial
from tests.soak.workers import trials

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parse(arguments)
    store = Store(given.output)
    if given.round is not None:
        (trial,) = trials([given.round], given.output, 1, given.many)
        _say(trial, given.output)
        print(json.dumps(asdict(trial), indent=1))
        return 1 if trial.complaints else 0
    deadline = None if given.minutes is None else time.monotonic() + 60 * given.minutes
    most = count(given.first) if given.trials is None else range(given.first, given.first + given.trials)
    done = {trial.seed for trial in store.trials}
    seeds = (seed for seed in most if seed not in done)
    timely = takewhile(lambda _: deadline is None or time.monotonic() < deadline, seeds)
    with suppress(KeyboardInterrupt):  # what is done by then counts
        for trial in trials(timely, given.output, given.jobs, given.many):
            store.add(trial)
            _say(trial, given.output)
    figures = summary(store.trials, given.jobs)
    with atomic_path(given.docs / "soak.json") as path:
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write_page(given.docs)
    print(f"{figures['trials']:,} trials, {figures['failures']:,} failures; {given.docs / 'reliability.md'}")
    return 1 if figures["failures"] else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Random commands under faults.")
    parser.add_argument("--minutes", type=float, help="begin no more trials after so many")
    parser.add_argument("--trials", type=int, help="in all; without --minutes or this, until Ctrl-C")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="of the first; %(default)s")
    parser.add_argument("--round", type=int, metavar="SEED", help="only this one, and tell all about it")
    parser.add_argument(
        "--many", type=float, default=0.5, help="share that runs in processes of its own; %(default)s"
    )
    parser.add_argument(
        "--jobs", type=int, default=multiprocessing.cpu_count(), help="trials at a time; %(default)s"
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "build/soak", help="where trials and failures are kept"
    )
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the figures go")
    return parser.parse_args(arguments)


class Store:
    """The trials that were run with the code as it is now, one line of JSON each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.code = folder / "trials.jsonl", _digest()
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        own = f'{{"code": "{self.code}"'
        rows = [json.loads(line) for line in lines if line.startswith(own) and line.endswith("}}")]
        self.trials = [Trial(**row["trial"]) for row in rows]

    def add(self, trial: Trial) -> None:
        self.trials.append(trial)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"code": self.code, "trial": asdict(trial)}) + "\n")


def _digest() -> str:
    files = sorted(
        path for part in ("splineviz", "cli", "tests/soak") for path in (ROOT / part).rglob("*.py")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _say(trial: Trial, folder: Path) -> None:
    struck = "" if trial.struck else ", not met"
    what = trial.skipped or f"{trial.fault}{struck}, codes {trial.codes}, {trial.seconds:.0f} s"
    print(f"{trial.seed}: {' '.join(trial.command[:2])}: {what}", flush=True)
    if trial.complaints:
        told = "\n    ".join(trial.complaints)
        print(
            f"--- {folder / str(trial.seed)}\n    splineviz {' '.join(trial.command)}\n    {told}\n"
            f"    python -m tests.soak --round {trial.seed}",
            flush=True,
        )


if __name__ == "__main__":
    raise SystemExit(main())
