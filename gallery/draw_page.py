"""Write the page of the demo, `gallery/demo.html`, and draw two views of it side by side, `gallery/page.png`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

import splineviz as sv

sys.path.append(str(Path(__file__).parents[1]))

from tests.browser.chromium import launched

PAGE = Path(__file__).with_name("demo.html")
PICTURE = Path(__file__).with_name("page.png")
SIZE = {"width": 1060, "height": 840}
COLORS = 256

FLAT = """() => {
  const app = window.splineviz;
  app.pin(app.views[0], 0.52, 0.5);
  app.hover(app.views[0], 0.52, 0.5);
}"""
GRAPH = """() => {
  const app = window.splineviz;
  app.unpin();
  app.hover(null, 0, 0);
  return app.set({ surface: true, output: "margin", color: "class" });
}"""


def main() -> None:
    digits = sv.demo.load_points()
    labels = [sv.demo.CLASS_NAMES[label] for label in sv.demo.load_labels()]
    sv.page(
        sv.slice("demo", digits),
        PAGE,
        images=list(digits.reshape(-1, *sv.demo.IMAGE_SHAPE)),
        labels=labels,
        class_names=sv.demo.CLASS_NAMES,
    )
    with launched() as browser:
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
        page.goto(PAGE.as_uri())
        page.wait_for_selector(".view[data-drawn]")
        views = []
        for show in (FLAT, GRAPH):
            page.evaluate(show)
            page.wait_for_timeout(1500)
            views.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    both = Image.new("RGB", (sum(view.width for view in views), views[0].height))
    for k, view in enumerate(views):
        both.paste(view, (k * view.width, 0))
    both.quantize(COLORS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
