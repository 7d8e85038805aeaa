"""`splineviz inspect`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .conftest import Result

Command = Callable[..., Result]


def test_the_table_lists_every_stage(nets: Path, splineviz: Command) -> None:
    done = splineviz("inspect", "nets:small")
    assert done.code == 0
    assert "16 in 2 stages" in done.out and "nothing blocks exactness" in done.out
    rows = [line.split()[:4] for line in done.out.splitlines() if line[:1].isdigit()]
    assert rows == [["0", "1", "relu", "8"], ["1", "3", "relu", "8"]]


def test_json_describes_the_program(nets: Path, splineviz: Command) -> None:
    card = json.loads(splineviz("inspect", "nets:small", "--json").out)
    assert card["schema"] == "splineviz.inspect/1" and card["exact"] is True
    assert (card["n_units"], card["n_parameters"], card["input_shape"]) == (16, 155, [6])


def test_json_lists_what_blocks_exactness(nets: Path, splineviz: Command) -> None:
    done = splineviz("inspect", "nets:smooth", "--json")
    card = json.loads(done.out)
    assert done.code == 3
    assert card["exact"] is False and len(card["blocked_by"]) == 2


def test_logits_in_place_of_a_last_softmax(nets: Path, splineviz: Command) -> None:
    refused = splineviz("inspect", "nets:classifier", "--input-shape", "6")
    assert refused.code == 3
    assert "--logits" in refused.err and "cuts off the last softmax" in refused.err
    done = splineviz("inspect", "nets:classifier", "--logits")
    assert done.code == 0
    assert "cut off       softmax in 1 (Softmax): the output is what enters it" in done.out
    assert (
        json.loads(splineviz("inspect", "nets:classifier", "--logits", "--json").out)["cut_off"]
        == "softmax in 1 (Softmax)"
    )
    assert json.loads(splineviz("inspect", "nets:small", "--logits", "--json").out)["cut_off"] is None
