"""Names that are markup, in every place of every page and table of a notebook: what a browser makes of them is text,
and no element, attribute or address comes from a name."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import splineviz as sv
from splineviz.report.writing import write_report

MARK = "hostile"
HOSTILE = (
    f"</script><script>{MARK}()</script>",
    f"<img src=x onerror={MARK}()>",
    f"--><iframe srcdoc='{MARK}'>",
    f'" onload="{MARK}()" x=\'y',
    f"]]></style></title></textarea><svg/onload={MARK}()>",
    f"javascript:{MARK}()",
    f"\x00\x1b[31m\u202e\u2028{MARK}&lt;b&gt;",
    f"{{{{{MARK}}}}}${{{MARK}}}`",
)
PLAIN = "name"


class Elements(HTMLParser):
    """Elements with their attributes (but for looks of cells, which go by their numbers), of a page and of the pages that it holds in attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.values: list[tuple[str, str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[f"{tag} {sorted({name for name, _ in attrs} - {'class'})}"] += 1
        for name, value in attrs:
            if name == "srcdoc":
                inner = Elements(value or "")
                self.tags += inner.tags
                self.values += inner.values
            else:
                self.values.append((tag, name, value or ""))


def module(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    net = nn.Sequential()
    for at, layer in enumerate((nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))):
        net.add_module(f"{name}{at}".replace(".", "·"), layer.double())
    return net


def arranged(name: str) -> sv.Arrangement:
    plane = sv.Plane.through([0.0, 0.0], [1.0, 0.1], [0.0, 1.0])
    return sv.arrange(sv.load_program(module(name)), plane, sv.Window.around(plane))


def named(name: str) -> dict[str, object]:
    return {
        "class_names": [f"{name} {k}" for k in range(3)],
        "labels": [name] * 3,
        "title": name,
        "note": name,
    }


def written(folder: Path) -> str:
    return (folder / "t.html").read_text(encoding="utf-8")


def page_of_slice(name: str, folder: Path) -> str:
    sv.page(
        arranged(name), folder / "t.html", extra={"model": name, name: name}, color="class", **named(name)
    )  # type: ignore[arg-type]
    return written(folder)


def compared(name: str) -> sv.Comparison:
    plane = sv.Plane.through([0.0, 0.0], [1.0, 0.1], [0.0, 1.0])
    names = [f"{name} a", f"{name} b"]
    return sv.compare([module(name), module(name, 1)], plane, sv.Window.around(plane), names=names)


def page_of_comparison(name: str, folder: Path) -> str:
    sv.page(compared(name), folder / "t.html", extra={"model": name}, **named(name))  # type: ignore[arg-type]
    return written(folder)


def animated(name: str, folder: Path) -> sv.Animation:
    net = module(name)
    for step in range(2):
        told = {"model": module(name, step).state_dict(), "step": step, "metrics": {f"loss {name}": 0.5}}
        torch.save(told, folder / f"s-{step}.pt")
    runs = sv.Checkpoints(net, str(folder / "s-*.pt"), input_shape=(2,))
    plane = sv.Plane.through([0.0, 0.0], [1.0, 0.1], [0.0, 1.0])
    how = {one: value for one, value in named(name).items() if one != "note"}
    out = folder / "t.html"
    return sv.animate(runs, plane, sv.Window.around(plane), out, jobs=1, **how)  # type: ignore[arg-type]


def page_of_animation(name: str, folder: Path) -> str:
    animated(name, folder)
    return written(folder)


def repr_of_animation(name: str, folder: Path) -> str:
    return animated(name, folder)._repr_html_()


def repr_of_slice(name: str, folder: Path) -> str:
    return arranged(name)._repr_html_()


def repr_of_comparison(name: str, folder: Path) -> str:
    return compared(name)._repr_html_()


def repr_of_boundary(name: str, folder: Path) -> str:
    plane = sv.Plane.identity()
    return sv.decision_boundary(module(name), plane, sv.Window.box(-1, 1, -1, 1))._repr_html_()


def repr_of_measures(name: str, folder: Path) -> str:
    arr = arranged(name)
    return "".join(
        arr.measure(one)._repr_html_() for one in ("regions", "boundary", "integrals", "graph", "topology")
    )


def repr_of_lines(name: str, folder: Path) -> str:
    nets = [module(name, step) for step in range(2)]
    found = sv.lines_over_training(nets, sv.Plane.identity(), sv.Window.box(-1, 1, -1, 1))
    return found._repr_html_()


def repr_of_segment(name: str, folder: Path) -> str:
    line = sv.segment(sv.load_program(module(name)), np.zeros(2), np.ones(2))
    return line.measure("integrals")._repr_html_()


def report_of_study(name: str, folder: Path) -> str:
    program = sv.load_program(module(name))
    points = np.random.default_rng(0).normal(size=(4, 2))
    study = sv.validate(
        program,
        points,
        radii=0.5,
        frames=2,
        planes=1,
        medians=(1,),
        examples=0,
        jobs=1,
        about={"model": name, name: name},
    )
    write_report(study, folder / "t.html")
    return written(folder)


PAGES: dict[str, Callable[[str, Path], str]] = {
    made.__name__: made
    for made in (
        *(page_of_slice, page_of_comparison, page_of_animation, report_of_study),
        *(
            repr_of_slice,
            repr_of_comparison,
            repr_of_animation,
            repr_of_boundary,
            repr_of_measures,
            repr_of_lines,
            repr_of_segment,
        ),
    )
}


@pytest.mark.parametrize("page", PAGES)
def test_no_element_and_no_attribute_comes_from_a_name(page: str, tmp_path: Path) -> None:
    harmless = Elements(PAGES[page](PLAIN, tmp_path))
    found = Elements(PAGES[page](" ".join(HOSTILE), tmp_path))
    assert found.tags == harmless.tags and sum(found.tags.values())
    for tag, attribute, value in found.values:
        if MARK in value:
            assert attribute in ("alt", "title", "aria-label", "content", "value"), (
                tag,
                attribute,
                value[:80],
            )


def test_all_that_a_notebook_shows_is_asked() -> None:
    shown = [
        path.stem
        for path in Path(sv.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "_repr_html_"
    ]
    expected = [
        "animation_result",
        "boundary_result",
        "comparison_result",
        "lines_result",
        "result",
        "result",
    ]
    assert sorted(shown) == expected, "a new one belongs into PAGES"
