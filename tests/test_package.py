"""The shape of the house: import contracts, public names, and a package list that misses nothing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import splineviz as sv

ROOT = Path(__file__).parent.parent


def test_import_contracts_hold() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sv.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(sv, name) is not None
    assert name in dir(sv)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        sv.nonsense  # noqa: B018


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {".".join(path.relative_to(ROOT).parent.parts) for path in (ROOT / "splineviz").rglob("*.py")}
    assert sorted(listed) == sorted({*found, "splineviz_cli"})


def test_the_contracts_on_matplotlib_and_torch_leave_no_module_out() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    bound = {
        c["name"]: {m.removeprefix("splineviz.") for m in c["source_modules"]} - {"splineviz_cli"}
        for c in contracts
    }
    modules = {
        path.stem
        for path in (ROOT / "splineviz").iterdir()
        if path.name[:1].isalpha() and path.suffix in ("", ".py")
    }
    assert bound["matplotlib only under render and report"] | {"render", "report"} == modules
    with_torch = {
        *("arrangement", "checking", "data", "demo", "engine", "estimators", "exact"),
        *("measures", "neighbourhoods", "program", "segments", "values"),
    }
    assert bound["torch only where networks are run"] | with_torch == modules


DECLARED = {
    # An arrangement offers to draw, measure and export itself, a boundary to draw and save itself, a comparison
    # and a landscape to draw themselves, a study to save itself.
    ("splineviz.arrangement.decisions.boundary_result", "splineviz.io.boundary_files"),
    ("splineviz.arrangement.decisions.boundary_result", "splineviz.render.boundary_figure"),
    ("splineviz.arrangement.result", "splineviz.io.export"),
    ("splineviz.arrangement.result", "splineviz.measures.measure"),
    ("splineviz.arrangement.result", "splineviz.measures.registry"),
    ("splineviz.arrangement.result", "splineviz.render"),
    ("splineviz.arrangement.result", "splineviz.pages.notebook"),
    # Likewise a segment.
    ("splineviz.segments.segment", "splineviz.measures.along"),
    ("splineviz.segments.segment", "splineviz.measures.measure"),
    ("splineviz.segments.segment", "splineviz.measures.path_thickness"),
    ("splineviz.segments.segment", "splineviz.measures.result"),
    ("splineviz.comparison.comparison_result", "splineviz.render.comparison"),
    ("splineviz.comparison.comparison_result", "splineviz.render.comparison_table"),
    ("splineviz.validation.study", "splineviz.validation.study_files"),
    ("splineviz.validation.study", "splineviz.validation.table"),
    ("splineviz.measures.landscape", "splineviz.render.landscape"),
    # Names of types alone.
    ("splineviz.io.provenance", "splineviz.io.totals"),
}


def test_imports_form_no_circle() -> None:
    """Imports in functions and under TYPE_CHECKING count; the lazy names of the package itself do not."""
    graph = grimp.build_graph("splineviz", cache_dir=None)
    imports = {
        module: {
            name
            for name in graph.find_modules_directly_imported_by(module)
            if name != "splineviz" and (module, name) not in DECLARED
        }
        for module in graph.modules - {"splineviz"}
    }
    TopologicalSorter(imports).prepare()  # a CycleError names the circle
