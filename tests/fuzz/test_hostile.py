"""Some cases of every hostile family: all that is computed of certified cells, and said to be proven, is right."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.hostile import HOSTILE
from tests.oracles.numbers import assert_numbers_right


@pytest.mark.parametrize("family", list(HOSTILE))
@settings(max_examples=25, phases=[Phase.generate])
@given(data=st.data())
def test_numbers_are_right_and_proven(family: str, data: st.DataObject) -> None:
    case = data.draw(HOSTILE[family])
    arr = case.arrange(case.windows[0], "full")
    assert arr.stats.certified
    assert_numbers_right(arr, case.exact[0])
    assert arr.certified, arr.exact
