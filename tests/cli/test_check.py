"""`splineviz check`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from .conftest import Result

Command = Callable[..., Result]


@pytest.fixture
def cells(nets: Path, splineviz: Command) -> Path:
    assert (
        splineviz(
            "slice",
            "nets:small",
            "--data",
            "data.npz",
            "--points",
            "0,1,2",
            "--color",
            "norm",
            "-o",
            "cells.npz",
        ).code
        == 0
    )
    return nets / "cells.npz"


def _change(path: Path, **arrays: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.load(path) as file:
        content = dict(file)
    np.savez(
        path, **{name: arrays[name](value) if name in arrays else value for name, value in content.items()}
    )


def _stretched(vertices: np.ndarray) -> np.ndarray:
    return vertices * (1 + 1e-9)


def test_a_table_of_what_holds(cells: Path, splineviz: Command) -> None:
    done = splineviz("check", cells, "--model", "nets:small", "--points", "50", "--segments", "3")
    assert done.code == 0 and done.err == ""
    assert "everything that was asked holds" in done.out
    rows = {line.split("  ")[0]: line for line in done.out.splitlines()}
    for name in ("edges", "rim", "areas", "patterns", "kinks", "corners", "points", "segments"):
        assert " holds " in rows[name], rows[name]
    assert " 50 points " in rows["points"]


def test_json(cells: Path, splineviz: Command) -> None:
    done = splineviz("check", cells, "--model", "nets:small", "--exact-cells", "all", "--seed", "5", "--json")
    report = json.loads(done.out)
    assert done.code == 0
    assert (report["schema"], report["ok"], report["status"]) == ("splineviz.check/1", True, "COMPLETE")
    assert report["options"] == {"exact_cells": "all", "points": 2000, "segments": 32, "seed": 5}
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert verdicts["exact areas"] == verdicts["kinks"] == "holds"


def test_what_fails_is_named_and_ends_with_6(cells: Path, splineviz: Command) -> None:
    _change(cells, vertices=_stretched)
    done = splineviz("check", cells, "--model", "nets:small")
    assert done.code == 6
    assert "FAILS: rim, " in done.out and "1 windows fail: 0" in done.out
    report = json.loads(splineviz("check", cells, "--model", "nets:small", "--json").out)
    assert report["ok"] is False
    rim = next(check for check in report["checks"] if check["name"] == "rim")
    assert rim["verdict"] == "fails" and rim["failed"] >= len(rim["offenders"]) > 0


ZERO_ON_OPEN_SETS = """
class Cancelling(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(2, 4)

    def forward(self, x):
        h = self.layer(x)
        return torch.relu(torch.relu(h) - torch.relu(-h) - h) + torch.relu(h)
"""


def test_what_is_left_open_ends_with_5(nets: Path, splineviz: Command) -> None:
    with (nets / "nets.py").open("a") as file:
        file.write(ZERO_ON_OPEN_SETS)
    assert splineviz("slice", "nets:Cancelling", "--box=-1,1,-1,1", "-o", "cells.npz").code == 0
    assert splineviz("check", "cells.npz", "--model", "nets:Cancelling").code == 0
    done = splineviz("check", "cells.npz", "--model", "nets:Cancelling", "--exact-cells", "2")
    assert done.code == 5
    assert "nothing fails; in part open: exact, patterns" in done.out
    assert "only 2 cells were to be settled exactly" in done.out


def test_another_network_is_bad_input(cells: Path, splineviz: Command) -> None:
    for other in ("nets:other", "demo"):
        done = splineviz("check", cells, "--model", other)
        assert done.code == 4
        assert (
            "the network is not the one that was arranged" in done.err
            and "try: the model with the weights" in done.err
        )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"cells_values": lambda a: a.astype(np.int64) + 10**6}, "is damaged: cells points outside"),
        ({"cell_window": lambda a: a[1:]}, "is damaged: cell_window has numbers of type int64"),
        ({"edge_against": lambda a: a[1:]}, "is damaged: edge_against does not fit the edges"),
        ({"cells_lengths": lambda a: a[1:]}, "is damaged: the rows of cells do not fit"),
        ({"cells_lengths": lambda a: -a}, "is damaged: cells_lengths are no lengths"),
        ({"vertices": lambda a: a * np.nan}, "is damaged: a vertex is not finite"),
        ({"schema": lambda a: np.array("something/1")}, "holds no arrangement"),
        (
            {"plane_basis": lambda a: a[:, :, :3], "plane_origin": lambda a: a[:, :3]},
            "is damaged: plane 0 does not fit its input shape (6,)",
        ),
        ({"meta": lambda a: np.array("{}")}, "is damaged: "),
    ],
)
def test_what_cannot_be_read_is_bad_input(
    cells: Path, splineviz: Command, damage: dict[str, Callable[[np.ndarray], np.ndarray]], message: str
) -> None:
    _change(cells, **damage)
    done = splineviz("check", cells, "--model", "nets:small")
    assert done.code == 4 and message in done.err


def test_no_file_and_no_npz(nets: Path, splineviz: Command) -> None:
    assert "no such file" in splineviz("check", "missing.npz", "--model", "nets:small").err
    (nets / "text.npz").write_text("no arrays")
    assert splineviz("check", "text.npz", "--model", "nets:small").code == 4
    assert splineviz("check", "text.npz").code == 2
    assert splineviz("check", "text.npz", "--model", "nets:small", "--exact-cells", "-3").code == 2


def test_chosen_outputs_and_logits_are_found_again(nets: Path, splineviz: Command) -> None:
    place = ("--data", "data.npz", "--points", "0,1,2", "-o", "cells.npz")
    assert splineviz("slice", "nets:small", *place, "--output-index", "2").code == 0
    assert splineviz("check", "cells.npz", "--model", "nets:small", "--output-index", "2").code == 0
    assert splineviz("check", "cells.npz", "--model", "nets:small").code == 4
    assert splineviz("slice", "nets:classifier", "--logits", *place).code == 0
    assert splineviz("check", "cells.npz", "--model", "nets:classifier").code == 0
