"""Other processors, as far as one machine can play them: libraries are told to use other instructions."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import splineviz as sv
from tests.engine.test_batches import FAMILY, arranged

OTHERS = {
    "plain loops": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    "no fused additions, two threads": {
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "OMP_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "2",
    },
}
SIZE = 60_000


def cells_of(arr: sv.Arrangement) -> list[object]:
    """Cells, their order, patterns and adjacency, and the verdict: all that must not depend on a
    processor."""
    digest = hashlib.sha256(arr.pattern_hash.tobytes())
    for array in (
        arr.cell_window,
        arr.cell_stage,
        arr.cells.lengths,
        np.unique(np.sort(arr.edge_cells, 1), axis=0),
    ):
        digest.update(np.ascontiguousarray(array).tobytes())
    return [
        arr.n_cells,
        arr.n_vertices,
        arr.n_edges,
        arr.status.name,
        arr.stats.undecided,
        digest.hexdigest(),
    ]


def found() -> dict[str, list[object]]:
    return {make.__name__: cells_of(arranged(make, SIZE)) for make in FAMILY}


@pytest.fixture(scope="module")
def here() -> dict[str, list[object]]:
    return found()


@pytest.mark.parametrize("settings", OTHERS.values(), ids=OTHERS)
def test_the_same_cells(settings: dict[str, str], here: dict[str, list[object]]) -> None:
    """Initial weights differ in their last bits there, too, which is nothing to lines in general position."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == here


if __name__ == "__main__":
    print(json.dumps(found()))  # noqa: T201
