"""Faults that are put in, the tests that look for them, and the figures of what was found."""

from __future__ import annotations

import ast
from itertools import islice
from pathlib import Path

import pytest

import splineviz
from tests.mutation.choice import ROOMS, Mutant, files_for, sample
from tests.mutation.operators import Mutation, mutations
from tests.mutation.table import summary, to_markdown
from tests.mutation.trial import dependents, run_tests

PACKAGE = Path(splineviz.__file__).parent
TREE = Path(__file__).parents[2]


def mutated(source: str) -> set[str]:
    """Every text with one fault."""
    return {found.of(source.encode()).decode() for found in mutations(source.encode())}


@pytest.mark.parametrize(
    ("source", "faulty"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("(a) is not (b)", {"(a) is (b)"}),
        ("a - (b)", {"a + (b)"}),
        ("a and b", {"a or b"}),
        ("x = not a", {"x = a"}),
        ("x = 3", {"x = 4"}),
        ("x = 0.5", {"x = 1.0"}),
        ("x = True", {"x = False"}),
        ("x = np.argmin(a)", {"x = np.argmax(a)"}),
        ("x = f(a, seed=b)", {"x = f(a)"}),
        ("f()", {"pass"}),
        ("x[a] = b", {"pass"}),
        ("x -= b", {"pass"}),
        ("if a:\n    b()", {"if not (a):\n    b()", "if a:\n    pass"}),
        ("raise E('1 < 2', 3)", {"pass"}),
        ('"""é < 3"""\nx = "é", a > b', {'"""é < 3"""\nx = "é", a >= b', '"""é < 3"""\nx = "é", a <= b'}),
        ("def f(a: X[3] = 1) -> Y[2]: ...", {"def f(a: X[3] = 2) -> Y[2]: ..."}),
        ("assert a < 3", set()),
        ("if TYPE_CHECKING:\n    f()", set()),
    ],
)
def test_faults(source: str, faulty: set[str]) -> None:
    assert mutated(source) >= faulty
    assert all(ast.dump(ast.parse(text)) != ast.dump(ast.parse(source)) for text in mutated(source))
    if not faulty:
        assert mutated(source) == set()


def test_every_mutant_of_a_sample_is_another_program_and_found_again() -> None:
    chosen = list(islice(sample(PACKAGE, list(ROOMS), 3), 50))
    assert chosen == list(islice(sample(PACKAGE, list(ROOMS), 3), 50))
    assert {mutant.path.split("/")[0] for mutant in chosen} == set(ROOMS)
    for mutant in chosen:
        source = (PACKAGE / mutant.path).read_bytes()
        assert ast.dump(ast.parse(mutant.mutation.of(source))) != ast.dump(ast.parse(source)), mutant.name


def test_tests_that_import_the_file_come_first() -> None:
    tests = files_for(TREE, Mutant("estimators/frames.py", Mutation(0, 0, "", 1, "", "")))
    assert tests[0] == "splineviz/estimators/frames.py"
    assert "tests/estimators/test_neighbourhood.py" in tests[1:-2] and tests[-2] == "tests/estimators"


def test_kernels_are_compiled_anew_where_a_fault_may_have_come_in() -> None:
    assert "splineviz.geometry.refine" in dependents(PACKAGE, "splineviz.geometry.chords")
    assert "splineviz.geometry.merging" not in dependents(PACKAGE, "splineviz.geometry.chords")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one function and one test."""
    files = {
        "splineviz/__init__.py": "",
        "splineviz/geometry/__init__.py": "",
        "splineviz/geometry/compiled.py": "_STAMP = ''\nkernel = lambda f: f\n",
        "splineviz/sizes.py": "def larger(a, b):\n    return max(a, b + 0)\n",
        "tests/__init__.py": "",
        "tests/test_sizes.py": "from splineviz.sizes import larger\n\n\ndef test_larger():\n    assert larger(2, 1) == 2\n\n\n"
        "def test_negative():\n    assert larger(-2, -5) == -2\n",
        "pyproject.toml": "[tool.pytest.ini_options]\n",
    }
    for name, text in files.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels/stamp").write_text("")
    return tmp_path / "tree"


def test_a_trial_tells_which_test_found_a_fault_and_which_faults_none_did(project: Path) -> None:
    path = project / "splineviz/sizes.py"
    source = path.read_bytes()
    found = {}
    for mutation in mutations(source):
        path.write_bytes(mutation.of(source))
        found[mutation.what] = run_tests(project, ["tests/test_sizes.py"], {}, "splineviz.sizes").failed
    path.write_bytes(source)
    assert found == {
        "max -> min": "tests/test_sizes.py::test_larger",
        "0 -> 1": None,
        "+ -> - in b + 0": None,
    }
    outcome = run_tests(project, ["tests/test_sizes.py"], {}, None)
    assert outcome.failed is None and len(outcome.times) == 2
    outcome = run_tests(project, ["tests/test_sizes.py"], {}, None, most=0.0)
    assert outcome.failed is None and list(outcome.times) == ["tests/test_sizes.py::test_larger"]


def test_figures_count_what_was_tried_and_name_what_survived() -> None:
    mutants = [Mutant("exact/a.py", Mutation(k, k + 1, "0", k, f"{k} -> 0", f"x = {k}")) for k in range(5)]
    ends = ["failed", "survived", "hung", None, "survived"]
    trials = [
        (mutant, None if end is None else {"end": end, "by": "t", "seconds": 1.0})
        for mutant, end in zip(mutants, ends, strict=True)
    ]
    figures = summary(trials, {mutants[4].fault: "nothing reads it"}, seed=0, most=30.0)
    assert (figures["tried"], figures["killed"], figures["hung"]) == (3, 2, 1)
    assert figures["interval"] == pytest.approx([0.208, 0.939], abs=1e-3)  # Wilson's, of 2 in 3
    page = to_markdown(figures)
    assert "- `exact/a.py:1 1 -> 0`\n" in page and "nothing reads it" in page
    assert "**2 of 3 faults killed, 67 %; 95 % interval 21 % to 94 %.**" in page
