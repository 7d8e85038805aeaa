"""A real browser that opens pages of arrangements; without one the tests are skipped, and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import splineviz as sv

pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is not installed")

from playwright.sync_api import Browser, Page

from tests.browser.chromium import launched

DRAWN = ".view[data-drawn]"
"""A picture that has been drawn; asking by a script of its own the page would not allow"""

Opened = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with ExitStack() as opened:
        try:
            browser = opened.enter_context(launched())
        except FileNotFoundError as error:
            pytest.skip(str(error))
        yield browser


@pytest.fixture(scope="module")
def open_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Writes a page of what it is given, and opens it: a function of what, and the options of `sv.page`; or opens
    one that is there.

    What the browser complains of fails the last of the module's tests.
    """
    pages, said = [], list[str]()

    def opened(shown: Any, width: int = 1000, height: int = 800, **how: Any) -> Page:
        path = shown if isinstance(shown, Path) else tmp_path_factory.mktemp("pages") / "x.html"
        if path is not shown:
            sv.page(shown, path, **how)
        page = browser.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        page.wait_for_selector(DRAWN)
        return page

    yield opened
    for page in pages:
        page.close()
    assert not said
