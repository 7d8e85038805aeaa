"""Modules as one script: in order, without imports, and what cannot be one is refused."""

from __future__ import annotations

import re

import pytest

from splineviz.pages.bundle import bundled
from splineviz.pages.document import _asset

DIAMOND = {
    "main.js": 'import {\n  left,\n  right,\n} from "./sides.js";\nimport { top } from "./top.js";\n\nleft(right, top);\n',
    "sides.js": 'import { top } from "./top.js";\nexport function left() {}\nexport const right = top + 1;\n',
    "top.js": "/** export const no = 1; */\nexport async function load() {}\nexport let top = 1;\nexport class Top {}\n",
}


def test_each_module_stands_before_those_that_import_it() -> None:
    text = bundled("main.js", DIAMOND.__getitem__)
    assert re.findall(r"^// (.*)$", text, re.MULTILINE) == ["top.js", "sides.js", "main.js"]
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    assert "/** export const no = 1; */\nasync function load() {}\nlet top = 1;\nclass Top {}\n" in text


@pytest.mark.parametrize(
    ("module", "text", "words"),
    [
        (
            "top.js",
            'import { left } from "./sides.js";\nexport let top = 1;\n',
            "sides.js imports top.js imports",
        ),
        (
            "sides.js",
            "export const left = 1, right = 2;\nfunction load() {}\n",
            "main.js imports right from sides",
        ),
        (
            "sides.js",
            "export const left = 1;\nexport const right = 2;\nfunction load() {}\n",
            "load is declared in",
        ),
        (
            "sides.js",
            "export default 3;\n",
            "sides.js has a statement that cannot be bundled: export default",
        ),
        ("main.js", 'import { top as t } from "./top.js";\n', "imports top as t from top.js"),
        ("main.js", 'import * as all from "./top.js";\n', "cannot be bundled: import"),
        ("main.js", 'import { a } from "https://x.org/a.js";\n', "cannot be bundled: import"),
    ],
)
def test_what_is_no_bundle_is_refused(module: str, text: str, words: str) -> None:
    modules = DIAMOND | {module: text}
    if module == "sides.js" and "load" in text and "left = 1;" in text:
        modules["main.js"] = DIAMOND["main.js"]
    with pytest.raises(ValueError, match=words):
        bundled("main.js", modules.__getitem__)


def test_the_modules_of_the_page_are_a_bundle() -> None:
    text = bundled("main.js", _asset)
    assert not re.search("</script|<!--", text, re.IGNORECASE)
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
