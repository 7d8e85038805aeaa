"""The types in the comments of the scripts are right."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import splineviz.pages

ASSETS = Path(splineviz.pages.__file__).parent / "assets"
HOW = "--noEmit --checkJs --strict --target es2022 --module es2022 --lib es2022,dom,dom.iterable"


@pytest.mark.skipif(
    shutil.which("tsc") is None, reason="tsc is not installed: npm install --global typescript"
)
def test_types_are_right() -> None:
    command = ["tsc", *HOW.split(), str(ASSETS / "main.js")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
