"""The page as one file: a template with style, script and scene in it. Nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from splineviz.pages.bundle import bundled
from splineviz.pages.scene import Scene
from splineviz.showing import in_json, in_script

__all__ = ["document"]

_STYLES = ("style.css", "inspector.css")


def document(scene: Scene, card: Mapping[str, Any], pictures: str) -> Iterator[str]:
    """The text of the page, part by part.

    Parameters
    ----------
    scene
        What the script reads.
    card
        Provenance.
    pictures
        HTML for where the script does not run.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(_asset("page.html"))
    return template.generate(
        policy=_policy(_script()),
        title=scene.card["title"],
        warnings=scene.card["warnings"],
        pictures=Markup(pictures),
        style=Markup("".join(map(_asset, _STYLES))),
        script=Markup(_script()),
        card=Markup(in_script(in_json(card))),
        scene=Markup(in_script(in_json(scene.card))),
        cells=map(Markup, scene.cells),
    )


def _policy(script: str) -> str:
    """What the page may do: run its own script and no other, and fetch nothing."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "worker-src blob:; connect-src data: blob:"
    )


@cache
def _script() -> str:
    script = bundled("main.js", _asset)
    assert not re.search("</script|<!--", script, re.IGNORECASE), "a browser would end the script there"
    return f"\n{script}"


@cache
def _asset(name: str) -> str:
    return (files("splineviz.pages") / "assets" / name).read_text(encoding="utf-8")
