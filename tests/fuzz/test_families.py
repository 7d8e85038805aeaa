"""A few cases of every family; ``make fuzz`` runs tens of thousands."""

from __future__ import annotations

import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from tests.fuzz.families import FAMILIES


@pytest.mark.parametrize("family", list(FAMILIES))
@settings(max_examples=6, phases=[Phase.generate])
@given(data=st.data())
def test_engine_and_oracle_agree(family: str, data: st.DataObject) -> None:
    case = data.draw(FAMILIES[family])
    case.agree("full")
    event(f"{sum(exact.n_cells for exact in case.exact) // 10}0 cells or more")
