"""The study of a toy network, whose exact cells are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from splineviz.validation.decomposition import TERMS, decompose
from splineviz.validation.findings import findings
from splineviz.validation.study import Study
from tests.validation.computed import computed


def test_the_identity_on_real_cells() -> None:
    """R - 1 is the sum of the splits; the first stage misses nothing; nothing is found that is not there."""
    study = computed()
    terms = decompose(study)
    assert (sum(getattr(terms, term).sum(-1) for term in TERMS) == study.cells[..., -1] - 1).all()
    assert not terms.missed[..., 0].any()
    assert (terms.missed >= 0).all()
    assert terms.missed.any()
    assert not terms.coincident.any(), "random weights are in general position"
    assert (terms.crossings >= 0).all() and terms.crossings[..., 1:].any()
    assert (study.regions <= study.cells[..., -1]).all()


def test_findings_of_real_cells() -> None:
    found = findings(computed(), resamples=200)
    for radius in range(2):
        assert (found.agreement(radius, "P = 2").tau.value or 0) > 0.5
        assert found.miss_rate(radius, 0).value == 0.0
        assert 0 <= (found.miss_rate(radius).value or 0) < 0.1
    assert all(row.ratio.value is not None and row.ratio.value >= 1 for row in found.sweep)
    assert {doubt.undecided for doubt in found.doubts} == {0}


def test_examples_come_back_and_can_be_drawn(tmp_path: Path) -> None:
    study = computed()
    study.save(tmp_path / "x.npz")
    again = Study.load(tmp_path / "x.npz")
    assert [(e.kind, e.checkpoint, e.n_sep, e.cut) for e in again.examples] == [
        (e.kind, e.checkpoint, e.n_sep, e.cut) for e in study.examples
    ]
    for old, new in zip(study.examples, again.examples, strict=True):
        assert np.array_equal(old.arrangement.vertices, new.arrangement.vertices)
        assert np.array_equal(old.arrangement.affine, new.arrangement.affine)
        new.arrangement.draw()
