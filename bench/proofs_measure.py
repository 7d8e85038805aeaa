"""The measurements of `proofs.py`: one network at a time, prepared in one process, proven in others."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from probe import answer, request
from proof_slices import SLICES, Slice

import splineviz as sv
from splineviz.io.provenance import certificate
from tests.oracles.sampling import sample

REPETITIONS, PATIENCE = 3, 20.0
"""Times are medians of so many, or of as many as begin within so many seconds."""
SMALLEST = 2.0**-12
"""The scale that a search begins with."""


def main() -> None:
    asked = request()
    torch.manual_seed(0)
    made = SLICES[asked["make"]](asked["how"], Path(asked["folder"]))
    programs = [sv.load_program(network, input_shape=made.input_shape) for network in made.networks]
    if asked["certify"] is None:
        answer(prepared(made, programs, asked))
    else:
        answer(proven(made, programs, asked))


def prepared(made: Slice, programs: list[sv.Program], asked: dict[str, Any]) -> dict[str, Any]:
    """The scale of the window, found where so many cells are asked for, and the size of the network."""
    scale = asked["scale"] or search(made, programs, asked["cells"])
    return {"scale": scale, "units": sum(program.n_units for program in programs)}


def search(made: Slice, programs: list[sv.Program], cells: int) -> float:
    """A scale with at least so many cells, and not many more: doubled until there are, then halved in its
    logarithm."""

    def enough(scale: float) -> bool:
        found = 0
        for program in programs:
            for plane in made.planes:
                for batch in sv.stream(program, plane, made.window(scale), certify="off"):
                    found += batch.n_cells
                    if found >= cells:
                        return True
        return False

    high = SMALLEST
    while not enough(high):
        high *= 2
        if high > 2**12:
            raise SystemExit(f"no window holds {cells:,} cells")
    low = high / 2
    for _ in range(3):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def proven(made: Slice, programs: list[sv.Program], asked: dict[str, Any]) -> dict[str, Any]:
    """The window with proofs, and without them in turn; what was proven, and whether it holds."""
    certify, window = asked["certify"], made.window(asked["scale"])
    run = partial(_arranged, made, programs)
    run(made.window(asked["scale"] / 1000), certify)  # kernels are loaded
    seconds: dict[str, list[float]] = {"off": [], certify: []}
    found: list[sv.Arrangement] = []
    began = time.perf_counter()
    while not found or (len(seconds["off"]) < REPETITIONS and time.perf_counter() - began < PATIENCE):
        for how, times in seconds.items():
            start = time.perf_counter()
            arrangements = run(window, how)
            times.append(time.perf_counter() - start)
            if how == certify:
                found = arrangements
            else:
                unproven = [arr.n_cells for arr in arrangements]
    off, on = (float(np.median(times)) for times in seconds.values())
    facts = {"seconds": on, "seconds_off": off, "ratio": on / off, "repetitions": len(seconds["off"])}
    agreed = [arr.n_cells for arr in found] == unproven
    return facts | {"same_cells_as_off": agreed} | _facts(found) | _sampled(made, found, asked["points"])


def _arranged(
    made: Slice, programs: list[sv.Program], window: sv.Window, certify: str
) -> list[sv.Arrangement]:
    """One arrangement of all planes, or, of two networks, their overlay and then each on its own."""
    how: Any = {"certify": certify, "jobs": 1}
    if len(programs) == 2:
        compared = sv.compare(programs, made.planes[0], window, **how)
        (both,) = compared.pairs
        return [both.overlay.arrangement, *compared.arrangements]
    planes = list(made.planes)
    if len(planes) == 1:
        return [sv.arrange(programs[0], planes[0], window, **how)]
    return [sv.arrange(programs[0], planes, [window] * len(planes), **how)]


def _facts(found: list[sv.Arrangement]) -> dict[str, Any]:
    """Cells of the first, and the certificates and checks of all."""
    whole = found[0]
    exact = [certificate(arr) for arr in found]
    diameter = max(float(np.linalg.norm(np.ptp(window.vertices, axis=0))) for window in whole.windows)
    off = [one["largest_displacement"] for one in exact]
    return {
        "cells": whole.n_cells,
        "cells_of_all": [arr.n_cells for arr in found],
        "status": whole.status.name,
        "certified": all(one["certified"] for one in exact),
        **{key: sum(one[key] for one in exact) for key in ("decisions", "re_evaluated", "undecided")},
        "stages": len(exact[0]["decisions_per_stage"]),
        "proven_stages": _proven_stages(exact[0]),
        "largest_displacement": None if None in off else max(off),
        "displacement_over_window": None if None in off else max(off) / diameter,
        "check": next(filter(None, map(_complaint, found)), None),
    }


def _proven_stages(exact: dict[str, Any]) -> int:
    """Stages before the first with a decision that is not proven."""
    pairs = zip(exact["proven_per_stage"], exact["decisions_per_stage"], strict=True)
    open_ = [stage for stage, (proven, decisions) in enumerate(pairs) if proven < decisions]
    return min(open_, default=len(exact["decisions_per_stage"]))


def _complaint(arr: sv.Arrangement) -> str | None:
    """What the arrangement's own check has to say against it."""
    try:
        arr.check()
    except sv.SplinevizError as error:
        return str(error)
    return None


def _sampled(made: Slice, found: list[sv.Arrangement], points: int) -> dict[str, Any]:
    """Random points run through the module itself, where one network is arranged on one window."""
    if not points or len(made.networks) > 1 or len(made.planes) > 1:
        return {"sampled": None}
    result = sample(found[0], made.networks[0], count=points)
    return {
        "sampled": {
            "points": result.points,
            "cells": result.cells,
            "wrong_patterns": result.wrong_patterns + result.outside,
            "wrong_outputs": result.wrong_outputs,
        }
    }


if __name__ == "__main__":
    main()
