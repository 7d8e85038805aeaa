"""Names from outside that are markup, formulas, instructions of a terminal or no Unicode: every command writes
them as text into every kind of file, and nothing else."""

from __future__ import annotations

import ast
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch

import splineviz as sv
import splineviz_cli
from splineviz.files import ARRANGEMENTS, PICTURES, REPORTS, TABLES
from splineviz.render import movie
from splineviz_cli import commands
from tests.cli.readers import READERS, read_json

EVIL = "=<script>&'\"\x1b[31m\n\r\t\u202e\u200f\u2028\udce9$x$_{{card}}]]>--|`*[a](b)<!--\x7f"
SHOWN = "=<script>&'\"\\x1b[31m\\n\\r\\t\\u202e\\u200f\\u2028\\udce9$x$_{{card}}]]>--|`*[a](b)<!--\\x7f"
CODES = r"\x1b[31m\n\r\t\u202e\u200f\u2028\udce9$x$"
IN_UNICODE = EVIL.replace("\udce9", "\\udce9")
FOLDER = os.fsdecode(b"\xe9=<i>&\x1b[31m\n$x$_`|{{card}}")

NETS = f"""
import torch
from torch import nn

def make():
    torch.manual_seed(0)
    net = nn.Sequential()
    net.add_module("a", nn.Linear(2, 6))
    net.add_module({EVIL!r}, nn.ReLU())
    net.add_module("b", nn.Linear(6, 3))
    return net

def smooth():
    net = make()
    net.add_module({EVIL!r} + "2", nn.GELU())
    return net

globals()[{EVIL!r}] = make
"""
MODEL = f"hostile_nets:{EVIL}"

Said = Mapping[str, tuple[str, str]]

WHERE = ("--data", "data.npz", "--points", "0,1,2")
RUNS = ("s-*.pt", "--model", MODEL, "--jobs", "1", "--data", "data.npz")

VERBS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "inspect": ((MODEL,), {}),
    "slice": (
        (MODEL, *WHERE, "--color", "class", "--title", EVIL, "--text", "--affine"),
        {
            "a.svg": SHOWN,
            "a.png": MODEL,
            "a.pdf": MODEL,
            "a.npz": EVIL,
            "a.geojson": MODEL,
            "a.parquet": MODEL,
            "a.html": SHOWN,
        },
    ),
    "draw": (
        ("a.npz", "--no-boundary", "--text", "--class-names", f"{EVIL},{EVIL},{EVIL}"),
        {"d.svg": MODEL, "d.html": SHOWN},
    ),
    "check": (("a.npz", "--model", MODEL, "--points", "9", "--segments", "2"), {}),
    "estimate": (
        (MODEL, "--data", "data.npz", "--directions", "2", "--radius", ".5"),
        {"e.csv": f"'{SHOWN}", "e.json": EVIL, "e.parquet": IN_UNICODE},
    ),
    "measure": (
        (MODEL, *WHERE, "--metric", "regions"),
        {"m.csv": "regions", "m.json": MODEL, "m.parquet": MODEL},
    ),
    "lines": (
        (*RUNS, "--points", "0,1,2", "--permutations", "9", "--shifts", "9"),
        {"l.csv": "units with a line", "l.json": MODEL, "l.parquet": MODEL},
    ),
    "compare": ((MODEL, MODEL, *WHERE), {"c.svg": MODEL + " 1", "c.html": SHOWN}),
    "animate": (
        (*RUNS, "--points", "0,1,2", "--title", EVIL, "--width", "3"),
        {"f.html": SHOWN, **dict.fromkeys(("f.webp", "f.gif", "f.apng", "f.mp4"), MODEL)},
    ),
    "validate": (
        (*RUNS, "--radii", ".5", "--frames", "2", "--limit", "4", "--examples", "1"),
        {
            "v.html": f"hostile_nets:{SHOWN}",
            "v.md": f"hostile_nets:{SHOWN}",
            "v.json": MODEL,
            "v.csv": "s-0",
            "v.parquet": MODEL,
            "v.npz": MODEL,
        },
    ),
}
FILES = [(verb, name) for verb, (_, files) in VERBS.items() for name in files]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    """Run every command in a folder of a hostile name; returns what each said on stdout and on stderr."""
    folder = tmp_path_factory.mktemp("hostile") / FOLDER
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "hostile_nets.py").write_text(NETS, encoding="utf-8")
        x = np.random.default_rng(0).normal(size=(6, 2))
        np.savez("data.npz", x=x, y=np.array([EVIL, "-1.5", "_b"] * 2))
        for step in range(2):
            net = torch.nn.Sequential()
            for name, layer in (("a", torch.nn.Linear(2, 6)), ("b", torch.nn.Linear(6, 3))):
                net.add_module(name, layer)
            told = {"step": step, "metrics": {f"accuracy{EVIL}": 0.5}}
            torch.save({"model": net.state_dict(), **told}, f"s-{step}.pt")
        yield {verb: _run(folder, verb, *asked) for verb, asked in VERBS.items()}
    sys.modules.pop("hostile_nets", None)


def _run(folder: Path, verb: str, arguments: tuple[str, ...], files: dict[str, str]) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    outputs = [part for name in files for part in ("-o", str(folder / name))]
    with redirect_stdout(out), redirect_stderr(err):
        code = commands.run([verb, *arguments, *outputs])
    assert code == 0, err.getvalue()
    return out.getvalue(), err.getvalue()


def test_no_command_and_no_kind_of_file_is_left_out() -> None:
    assert VERBS.keys() == commands._COMMANDS.keys()
    kinds = {*PICTURES, *ARRANGEMENTS, *REPORTS, *TABLES, *movie._ANIMATED}
    assert READERS.keys() == kinds == {Path(name).suffix for _, name in FILES}


@pytest.mark.parametrize("verb", VERBS)
def test_a_terminal_is_given_nothing_to_obey(said: Said, verb: str) -> None:
    for text in said[verb]:
        assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("verb", ["inspect", "estimate", "compare", "validate"])
def test_names_are_on_one_line_of_it(said: Said, verb: str) -> None:
    assert any(SHOWN in line for line in said[verb][0].splitlines())


@pytest.mark.parametrize(("verb", "name"), FILES)
def test_a_file_holds_the_name_as_text(said: Said, verb: str, name: str) -> None:
    path = Path(name)
    assert any(VERBS[verb][1][name] in words for words in READERS[path.suffix](path))


@pytest.mark.parametrize("verb", ["inspect", "slice", "estimate", "compare"])
def test_json_on_stdout(said: Said, verb: str) -> None:
    asked = [word for word in VERBS[verb][0] if word not in ("--text", "--affine")]
    out, _ = _run(Path(), verb, (*asked, "--json", "--quiet"), {})
    assert out.isascii() and out.count("\n") == 1 and out[:-1].isprintable()
    assert any(EVIL in words for words in read_json(out))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("inspect", "hostile_nets:smooth"), 3),
        (("inspect", f"hostile_nets:{EVIL}?"), 4),
        (("inspect", f"{EVIL}.onnx"), 4),
        (("inspect", MODEL, "--weights", f"{EVIL}.pt"), 4),
        (("slice", MODEL, "--data", f"{EVIL}.npz", "--points", "0,1,2"), 4),
        (("slice", MODEL, *WHERE, "-o", f"{EVIL}/a.svg"), 4),
        (("slice", MODEL, *WHERE, "--margin", EVIL), 2),
        (("slice", MODEL, *WHERE, "--mean", EVIL), 2),
        (("animate", EVIL, "--model", MODEL, *WHERE, "-o", "a.webp"), 4),
        (("draw", f"{EVIL}.npz", "-o", "a.svg"), 4),
        (("--config", f"{EVIL}.toml", "inspect", MODEL), 4),
        ((EVIL,), 2),
    ],
)
def test_errors_say_it_on_one_line(said: Said, arguments: tuple[str, ...], code: int) -> None:
    err = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(err):
        assert commands.run(arguments) == code
    assert all(character.isprintable() or character == "\n" for character in err.getvalue())
    assert any(CODES in line for line in err.getvalue().splitlines())


def test_a_notebook_is_given_text(said: Said) -> None:
    arr = sv.load("a.npz")
    page = READERS[".html"]
    Path("repr.html").write_text(arr._repr_html_(), encoding="utf-8")
    assert any(SHOWN in words for words in page(Path("repr.html")))
    program = sv.load_program(MODEL)
    assert [line.isprintable() for line in repr(program).splitlines()] == [True] * 3
    assert SHOWN in repr(program)


ONE_ROOM = {
    "html.escape": {"splineviz/showing.py", "splineviz/pages/notebook.py"},  # of a whole page
    "stream.write": {"cli/saying.py", "splineviz/io/geojson.py"},
    "click.echo": set(),
    "csv.writer": {"splineviz/io/csv_table.py"},
    "print": set(),
    "sys.stdout.write": set(),
    "sys.stderr.write": set(),
}


def test_words_go_out_in_one_place() -> None:
    packages = Path(sv.__file__).parent, Path(splineviz_cli.__file__).resolve().parent
    found: dict[str, set[str]] = {call: set() for call in ONE_ROOM}
    for package in packages:
        for path in package.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (call := ast.unparse(node.func)) in found:
                    found[call].add(f"{package.name}/{path.relative_to(package).as_posix()}")
    assert found == ONE_ROOM
