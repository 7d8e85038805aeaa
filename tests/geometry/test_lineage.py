"""Hashes of patterns: different sets of units, different hashes."""

from __future__ import annotations

import numpy as np
import pytest

from splineviz.geometry.lineage import inherit


@pytest.mark.parametrize("before", [(0, 0), (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)])
def test_no_two_words_undo_each_other(before: tuple[int, int]) -> None:
    """Sets of up to one unit of one word and two of the next; a top bit passes a multiplication unchanged."""
    bits = np.uint64(1) << np.arange(64, dtype=np.uint64)
    singles = np.concatenate([np.zeros(1, np.uint64), bits])
    words = np.concatenate([singles, (bits[:, None] | bits)[np.triu_indices(64, 1)]])
    on = np.stack([np.repeat(singles, len(words)), np.tile(words, len(singles))], axis=1)
    start = np.zeros(1, np.int64)
    _, _, hashes = inherit(np.zeros(len(on), np.int64), on, start, start, np.array([before], np.uint64), 0)
    assert [len(np.unique(lane)) for lane in hashes.T] == [len(on), len(on)]
