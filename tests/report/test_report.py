"""Reports hold what was found, need nothing else, and say undefined where there is nothing."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from splineviz.errors import InputError
from splineviz.files import PICTURES
from splineviz.report import save_figures, write_report
from splineviz.report.figures import pictures, save_picture
from splineviz.report.sections import document_of
from splineviz.validation.findings import Findings, findings
from splineviz.validation.study import Study
from splineviz.validation.verdict import percent, verdict
from tests.pages.decoder import scene_of_page
from tests.validation.computed import computed
from tests.validation.synthetic import given_up, synthetic


@pytest.fixture(scope="module")
def study() -> Study:
    return computed()


@pytest.fixture(scope="module")
def found(study: Study) -> Findings:
    return findings(study, resamples=100)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href") and value]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data.strip())


@pytest.fixture(scope="module")
def written(study: Study, found: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a report")
    for suffix in ("html", "md", "json"):
        write_report(study, folder / f"the x.{suffix}", found=found)
    return folder


def test_the_page_stands_alone(study: Study, found: Findings, written: Path) -> None:
    text = (written / "the x.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    assert "script" not in page.tags and "link" not in page.tags
    assert all(source.startswith(("data:image/", "#")) for source in page.sources)
    own = re.sub(r'srcdoc="[^"]*"', "", text)  # what is in frames may fetch nothing by its own policy
    assert "url(" not in own and "@import" not in own
    assert 'name="viewport"' in text and "@media print" in text
    for sentence in verdict(study, found):
        assert sentence in page.words
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert {source[1:] for source in page.sources if source.startswith("#")} <= set(ids)
    assert study.design["command"] in page.words


def test_the_three_say_the_same(study: Study, found: Findings, written: Path) -> None:
    report = json.loads((written / "the x.json").read_text(encoding="utf-8"))
    assert report["schema"] == "splineviz.validate/1"
    assert report["verdict"] == verdict(study, found)
    assert report["design"] == study.design
    words = Page((written / "the x.html").read_text(encoding="utf-8")).words
    markdown = (written / "the x.md").read_text(encoding="utf-8").replace("\\", "")
    document = document_of(study, found)
    for section in document.sections:
        for table in section.tables:
            for cell in {cell for row in table.rows for cell in row if cell}:
                assert cell in words, cell
                assert cell in markdown, cell
    tau = found.agreement(0, found.headline).tau
    case = (0, None, found.headline, "R")
    rows = report["findings"]["within"]
    row = next(r for r in rows if (r["radius"], r["checkpoint"], r["estimate"], r["exact"]) == case)
    assert row["tau"]["value"] == tau.value
    assert row["tau"]["interval"] == [tau.low, tau.high]


def test_a_small_table_comes_first(study: Study, found: Findings, written: Path) -> None:
    table = document_of(study, found).summary
    assert len(table.rows) == study.n_radii
    for radius, row in enumerate(table.rows):
        ties = [t.tied for t in found.ties if (t.radius, t.quantity) == (radius, "R") and t.tied is not None]
        assert row[0] == found.radius_labels[radius]
        assert row[1:3] == tuple(str(found.agreement(radius, f"P = {p}").tau) for p in (5, 2))
        assert row[3].split(" to ")[0] == percent(min(ties)) and row[3].split(" to ")[-1] == percent(
            max(ties)
        )
        assert row[4] == "undefined", "no time was measured"
    timed = replace(found, costs=[replace(cost, exact_to_plain=0.1234) for cost in found.costs])
    assert [row[4] for row in document_of(study, timed).summary.rows] == ["0.12"] * study.n_radii
    words = Page((written / "the x.html").read_text(encoding="utf-8")).words
    assert words.index(table.rows[0][1]) < words.index(verdict(study, found)[0])
    markdown = (written / "the x.md").read_text(encoding="utf-8")
    assert markdown.splitlines()[4].startswith("| radius | tau-b, P = 5 | tau-b, P = 2 |")


def test_long_tables_fold(study: Study, found: Findings, written: Path) -> None:
    tables = [table for section in document_of(study, found).sections for table in section.tables]
    lengths = [len(table.rows) for table in tables if table.folded]
    assert lengths and min(lengths) > 12 >= max(len(table.rows) for table in tables if not table.folded)
    for name in ("the x.html", "the x.md"):
        text = (written / name).read_text(encoding="utf-8")
        assert text.count("<details>") == len(lengths) and text.count("<details") == text.count("</details>")
        assert [int(n) for n in re.findall(r"\((\d+) rows\)</summary>", text)] == lengths
        assert all(f"\n| {table.head[0]} |" in text for table in tables) or name.endswith("html")


def test_a_page_follows_the_colours_of_the_system(written: Path) -> None:
    text = (written / "the x.html").read_text(encoding="utf-8")
    assert "color-scheme: light dark" in text and "prefers-color-scheme: dark" in text


def test_markdown_finds_its_figures(written: Path) -> None:
    links = re.findall(r"\]\(<?([^)>]+)>?\)", (written / "the x.md").read_text(encoding="utf-8"))
    assert links
    for link in links:
        begin = b"<!doctype html>" if link.endswith(".html") else b"\x89PNG"
        assert (written / unquote(link)).read_bytes().startswith(begin)


def test_every_figure_can_be_saved_alone(study: Study, found: Findings, tmp_path: Path) -> None:
    made = save_figures(study, tmp_path / "figures", found=found)
    names = {path.stem for path in made}
    assert {
        "training-0",
        "agreement",
        "scatter-0-2",
        "terms",
        "missed",
        "sweep",
        "example-0-best",
        "example-1-worst",
    } <= names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made)
    with pytest.raises(InputError, match=r"a figure is written to .png, .svg, .pdf"):
        save_figures(study, tmp_path / "figures", suffix=".gif", found=found)


@pytest.mark.parametrize("kind", ["zeros", "single", "lost"])
def test_studies_at_the_edge(kind: str, tmp_path: Path) -> None:
    """Nothing cut; one checkpoint, plane and P; nothing counted at all: a report all the same, without a
    NaN."""
    how = {"checkpoints": 1, "planes": 1, "frames": 1, "directions": (2,)} if kind == "single" else {}
    study = synthetic("zeros" if kind == "zeros" else "noisy", radii=(0.1,), **how)
    study = replace(
        given_up(study, 1.0) if kind == "lost" else study,
        eccentricity=np.full_like(study.eccentricity, np.nan),
    )
    found = findings(study, resamples=50)
    for suffix in ("html", "json"):
        write_report(study, tmp_path / f"x.{suffix}", found=found)
        text = (tmp_path / f"x.{suffix}").read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w/+])(nan|NaN|inf|None)(?![\w/+])", text)
    assert kind not in ("zeros", "lost") or "undefined" in text or "null" in text


def test_other_suffixes_are_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a report is written to .html, .md, .json, got x.docx"):
        write_report(study, tmp_path / "x.docx")
    with pytest.raises(InputError, match="does not exist"):
        write_report(study, tmp_path / "none" / "x.html")


def test_names_from_outside_are_only_words(tmp_path: Path) -> None:
    """A file name or a command is no markup."""
    evil = "<script>alert(1)</script> | *x*"
    study = synthetic(points=12, checkpoints=1, radii=(0.1,))
    study = replace(study, model=evil, names=(evil,), design=study.design | {"command": evil, "data": evil})
    found = findings(study, resamples=20)
    write_report(study, tmp_path / "x.html", found=found)
    assert "script" not in Page((tmp_path / "x.html").read_text(encoding="utf-8")).tags
    write_report(study, tmp_path / "x.md", found=found)
    title = (tmp_path / "x.md").read_text(encoding="utf-8").splitlines()[0]
    assert "<script" not in title.replace("\\<", "")


@pytest.mark.parametrize("suffix", PICTURES)
def test_identical_figures_are_identical_files(
    study: Study, found: Findings, suffix: str, tmp_path: Path
) -> None:
    picture = next(pictures(study, found))
    for name in ("a", "b"):
        save_picture(picture, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_neighbourhoods_can_be_looked_at_closely(study: Study, written: Path) -> None:
    text = (written / "the x.html").read_text(encoding="utf-8")
    frames = re.findall(
        r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts allow-downloads"[^>]*loading="lazy"', text
    )
    beside = sorted((written / "the x-figures").glob("*.html"))
    assert len(frames) == len(beside) == len(study.examples) > 0
    for example, frame, path in zip(study.examples, frames, beside, strict=True):
        page = html.unescape(frame)
        assert page == path.read_text(encoding="utf-8")
        assert 'http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; ' in page
        scene = scene_of_page(page)
        assert scene["panels"][0]["card"]["cells"] == example.arrangement.n_cells
        assert scene["title"].startswith(study.model) and f"point {example.point}" in scene["title"]
