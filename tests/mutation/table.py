"""The figures of a run, and their page."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from tests.mutation.choice import ROOMS, Mutant

__all__ = ["summary", "to_markdown"]

SCHEMA = "splineviz.mutation/1"


def summary(
    trials: list[tuple[Mutant, dict[str, Any] | None]], equivalent: dict[str, str], seed: int, most: float
) -> dict[str, Any]:
    """What became of the mutants that were tried."""
    rows = [
        {"name": mutant.name, "room": mutant.path.split("/")[0]}
        | {name: trial[name] for name in ("end", "by", "seconds")}
        for mutant, trial in trials
        if trial is not None and mutant.fault not in equivalent
    ]
    rooms = {room: _counts([row for row in rows if row["room"] == room]) for room in ROOMS}
    reasons = {m.name: equivalent[m.fault] for m, _ in trials if m.fault in equivalent}
    drawn = {"schema": SCHEMA, "date": datetime.now(UTC).date().isoformat(), "seed": seed, "most": most}
    return drawn | _counts(rows) | {"rooms": rooms, "equivalent": reasons, "mutants": rows}


def _counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    tried, hung = len(rows), sum(row["end"] == "hung" for row in rows)
    killed = tried - sum(row["end"] == "survived" for row in rows)
    return {"tried": tried, "killed": killed, "hung": hung, "interval": _wilson(killed, tried)}


def _wilson(k: int, n: int) -> list[float]:
    """95 % interval of a share."""
    if not n:
        return [0.0, 1.0]
    z = 1.959964
    middle, spread = (k + z * z / 2) / (n + z * z), z * math.sqrt(k * (n - k) / n + z * z / 4) / (n + z * z)
    return [round(middle - spread, 3), round(middle + spread, 3)]


_PAGE = """# Do the tests find small faults?

Made by `make mutate` on {date}, from the same run as [mutation.json](mutation.json). One fault at a time is put into a copy of the code,
drawn at random within each room (seed {seed}): a comparison, an operator or a constant changed, a condition turned round, `min`
for `max`, a statement or an argument left out (`tests/mutation/operators.py`). Then the tests of its file run, those that import it
first, then those of its room, of either the quick ones first, for {most:.0f} seconds of processor time (`tests/mutation/choice.py`).
A fault that none of these finds survives; the whole suite might find it yet.

**{killed} of {tried} faults killed, {share}; 95 % interval {low} to {high}.** {hung} of them by tests that did not end.
{n_equivalent} more change nothing that a result shows, for the reasons below, and are not counted.

| room | tried | killed | share |
| --- | ---: | ---: | ---: |
{rooms}

## Survivors

{survivors}

## Equivalent to the code

{equivalent}
"""


def to_markdown(figures: dict[str, Any]) -> str:
    """The page."""
    low, high = figures["interval"]
    rooms = [
        f"| {room} | {row['tried']} | {row['killed']} | {_share(row)} |"
        for room, row in figures["rooms"].items()
    ]
    survivors = [f"- `{row['name']}`" for row in figures["mutants"] if row["end"] == "survived"]
    reasons = [f"- `{name}`: {reason}" for name, reason in figures["equivalent"].items()]
    return _PAGE.format(
        date=figures["date"],
        seed=figures["seed"],
        most=figures["most"],
        killed=figures["killed"],
        tried=figures["tried"],
        share=_share(figures),
        low=f"{100 * low:.0f} %",
        high=f"{100 * high:.0f} %",
        hung=figures["hung"],
        n_equivalent=len(reasons),
        rooms="\n".join(rooms),
        survivors="\n".join(survivors) or "None.",
        equivalent="\n".join(reasons) or "None.",
    )


def _share(row: dict[str, Any]) -> str:
    return f"{100 * row['killed'] / row['tried']:.0f} %" if row["tried"] else ""
