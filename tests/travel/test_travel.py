"""Programs survive a trip to another process, and batches come back from there."""

from __future__ import annotations

import functools

import pytest

from . import programs
from .run import checks, outcomes

once = functools.cache(outcomes)


@pytest.mark.parametrize("name", checks(programs))
def test_programs(name: str) -> None:
    complaint = once(programs)[name]
    assert complaint is None, complaint


try:
    from . import cluster
except ImportError:
    pass
else:

    @pytest.mark.parametrize("name", checks(cluster))
    def test_cluster(name: str) -> None:
        complaint = once(cluster)[name]
        assert complaint is None, complaint
