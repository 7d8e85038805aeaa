"""Short scripts that use the package itself, as users write them, and end with the exit codes of commands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

import splineviz as sv

__all__ = ["run_script"]

OUT = Path("out")


def run_script(name: str, model: str) -> int:
    """Run one of the scripts on a network in the current folder; returns the exit code."""
    points = np.random.default_rng(5).normal(size=(6, 6))
    try:
        return SCRIPTS[name](model, points)
    except sv.SplinevizError as error:
        _complain(error)
        return error.exit_code
    except OSError as error:  # a script has no other word for a disk that is full
        _complain(error)
        return 4
    except KeyboardInterrupt:
        return 130


def _complain(error: Exception) -> None:
    with suppress(OSError):  # where the disk has no room for that, either
        sys.stderr.write(f"error: {error}\n")
        sys.stderr.flush()


def _arrays(model: str, points: np.ndarray) -> int:
    program = sv.load_program(model)
    arr = sv.slice(program, points[:3])
    sv.save(arr, OUT / "cells.npz", affine=True)
    again = sv.load(OUT / "cells.npz", program=program)
    assert (again.n_cells, again.n_linear_regions) == (arr.n_cells, arr.n_linear_regions)
    assert np.array_equal(again.affine, arr.affine)
    again.check()
    return 0


def _segment(model: str, points: np.ndarray) -> int:
    line = sv.segment(model, points[0], points[1])
    assert line.proven
    np.savetxt(sys.stdout, line.knots)
    return 0


def _recorder(model: str, points: np.ndarray) -> int:
    import torch

    module = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
    recorder = sv.Recorder(module, OUT / "steps", steps=2)
    for step in range(7):
        with torch.no_grad():
            for value in module.parameters():
                value.fill_(step / 7)
        recorder(step, loss=1 / (1 + step))
    runs = sv.Checkpoints(module, OUT / "steps")
    assert set(runs.steps) <= {0, 2, 4, 6}
    return 0 if len(runs) == 4 else 5  # where the disk is full, training goes on without


def _stream(model: str, points: np.ndarray) -> int:
    from splineviz.io.shards import shard_writer

    plane = sv.Plane.through(*points[:3])
    with shard_writer(OUT / "shards", overwrite=True) as add:
        for batch in sv.stream(model, plane, sv.Window.around(plane)):
            add(batch)
    return 0


def _study(model: str, points: np.ndarray) -> int:
    program = sv.load_program(model)
    study = sv.validate(
        program, points, radii=0.5, medians=(), frames=1, planes=1, examples=0, folder=OUT / "work", jobs=1
    )
    study.save(OUT / "study.npz")
    assert np.array_equal(sv.Study.load(OUT / "study.npz").cells, study.cells)
    return 0


SCRIPTS: dict[str, Callable[[str, np.ndarray], int]] = {
    "arrays": _arrays,
    "segment": _segment,
    "recorder": _recorder,
    "stream": _stream,
    "study": _study,
}
