"""The operation table as text in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from splineviz.program.operations.catalogue import with_operations

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_the_operations() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_operations(text) == text, "run make operations"


def test_marks_are_needed() -> None:
    with pytest.raises(ValueError, match="written by make operations"):
        with_operations("no marks here")
