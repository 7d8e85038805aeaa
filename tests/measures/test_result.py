"""Tables of quantities: by name, as columns, as text and HTML."""

from __future__ import annotations

import math

import numpy as np
import pytest

from splineviz.measures.result import COLUMNS, Measured, Quantity


def measured(*quantities: Quantity) -> Measured:
    provenance = {"program": {"name": "<b>net"}, "cells": 1200}
    return Measured(measure="lengths", quantities=quantities, provenance=provenance)


TWO = (Quantity("length", 1.5, "class 3", 1e-12, "input distance"), Quantity("pieces", 12, error=0))


def test_values_are_had_by_name_and_by_what_they_are_of() -> None:
    found = measured(*TWO)
    assert (found["length", "class 3"], found["pieces"]) == (1.5, 12)
    with pytest.raises(KeyError, match=r"tells no 'length'; it tells .*class 3.*pieces"):
        found["length"]


def test_columns_are_arrays() -> None:
    table = measured(*TWO, Quantity("share", 0.5)).table
    assert tuple(table) == COLUMNS
    assert table["value"].tolist() == [1.5, 12.0, 0.5]
    assert math.isnan(table["error"][2])
    assert table["unit"].tolist() == ["input distance", "", ""]
    assert {name: len(column) for name, column in measured().table.items()} == dict.fromkeys(COLUMNS, 0)


def test_text_and_html_show_every_quantity_with_its_error() -> None:
    found = measured(*TWO)
    assert "length of class 3: 1.5 ± 1.0e-12 input distance" in repr(found)
    shown = found._repr_html_()
    assert "&lt;b&gt;net, 1,200 cells" in shown
    assert "<td>1e-12</td>" in shown and "<td>12</td>" in shown


def test_numbers_are_plain_in_json() -> None:
    asked = measured(Quantity("share", float(np.float64(0.25)))).to_dict()
    assert asked["quantities"] == [{"name": "share", "value": 0.25, "of": "", "error": None, "unit": ""}]
