"""Help, version and the import itself stay free of the heavy packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("torch", "matplotlib", "numba", "scipy", "shapely", "networkx", "rich")
PROBE = """
import json, sys
{action}
print("\\n" + json.dumps([name for name in {heavy} if name in sys.modules]))
"""


def loaded_by(action: str) -> list[str]:
    code = PROBE.format(action=action, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(names, list)
    return names


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["slice", "--help"], ["inspect", "--help"], ["check", "--help"]],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(f"from splineviz_cli.commands import run; assert run({arguments!r}) == 0") == []


def test_help_on_measures_loads_no_network_and_no_picture() -> None:
    loaded = loaded_by("from splineviz_cli.commands import run; assert run(['measure', '--help']) == 0")
    assert not {"torch", "matplotlib", "shapely", "networkx"} & set(loaded)


def test_import_loads_nothing_heavy() -> None:
    assert loaded_by("import splineviz; splineviz.Plane; splineviz.InputError") == []


def test_bad_suffix_is_refused_before_anything_heavy_is_loaded() -> None:
    assert (
        loaded_by("from splineviz_cli.commands import run; assert run(['slice', 'demo', '-o', 'x.bmp']) == 4")
        == []
    )


@pytest.mark.parametrize(("asked", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_without_work_wait_unless_they_are_to_spin(asked: str | None, policy: str) -> None:
    """OpenMP says at its start what it goes by."""
    how = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    how |= {"OMP_DISPLAY_ENV": "TRUE"} | ({} if asked is None else {"OMP_WAIT_POLICY": asked})
    code = (
        "import sys; sys.argv = ['splineviz', 'inspect', 'demo']; from splineviz_cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=how)
    assert f"OMP_WAIT_POLICY = '{policy}'" in done.stderr
