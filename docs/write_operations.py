"""Bring the tables of operations in the README up to date: python docs/write_operations.py, or make
operations."""

from __future__ import annotations

from pathlib import Path

from splineviz.program.operations.catalogue import with_operations

README = Path(__file__).parent.parent / "README.md"

if __name__ == "__main__":
    README.write_text(with_operations(README.read_text(encoding="utf-8")), encoding="utf-8")
