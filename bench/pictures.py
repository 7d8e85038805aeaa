"""What does a PNG of so many cells cost, in every style, once cells, affine maps and kinks are at hand?

Processor time of one network, in a process of its own: the first picture finds the decision boundary, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ours import arrange
from probe import PeakMemory, answer, request
from workloads import Workload, make_network

import splineviz as sv
from splineviz.render import save_figure

STYLES: dict[str, dict[str, Any]] = {
    "first": {},
    "random": {},
    "norm": {"color": "norm"},
    "volume": {"color": "volume"},
    "area": {"color": "area"},
    "kink": {"color": "kink"},
    "class": {"color": "class"},
    "lines by kink": {"edges": "kink"},
    "no lines": {"edges": "none"},
}


def processor_seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def drawn(arr: sv.Arrangement, path: Path) -> dict[str, Any]:
    """Seconds for each style, and the memory that a picture takes beside the arrangement."""
    seconds = {
        name: processor_seconds(lambda how=style: save_figure(arr, path, **how))  # type: ignore[misc]
        for name, style in STYLES.items()
    }
    memory = PeakMemory()
    save_figure(arr, path, boundary=False)
    return {"cells": arr.n_cells, "seconds": seconds, "peak_bytes": memory.above()}


def main() -> None:
    asked = request()
    path = Path(asked["folder"], "cells.png")
    warm = arrange(make_network(Workload("warm-up", (2, 8, 8, 3))))
    _ = warm.linear_regions
    drawn(warm, path)
    arr = arrange(make_network(Workload(**asked["workload"])))
    _ = arr.linear_regions
    answer(drawn(arr, path))


if __name__ == "__main__":
    main()
