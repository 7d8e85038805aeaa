/** The page begins here: a heading, the pictures, and beside them controls, legend and what is under the cursor. */

import { App } from "./app.js";
import { addControls } from "./controls.js";
import { button, element, thousands } from "./dom.js";
import { savePng, saveSvg } from "./export.js";
import { addHelp } from "./help.js";
import { addInspector } from "./inspector.js";
import { addKeys } from "./keys.js";
import { addLegend } from "./legend.js";
import { addLargest } from "./largest.js";
import { addLink } from "./link.js";
import { readPalette, readScene } from "./panel.js";
import { addPinned } from "./pinned.js";
import { addSearch } from "./search.js";
import { addSpoken } from "./spoken.js";
import { addTimeline } from "./timeline.js";

async function begin() {
  const scene = readScene();
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  document.body.classList.add("live", scene.kind);
  const total = scene.panels.reduce((sum, { card }) => sum + card.cells, 0);
  const waiting = element("p", { class: "waiting", role: "status" }, `Reading ${thousands(total)} cells …`);
  root.append(heading(scene), waiting);
  const app = new App(scene, readPalette(scene));
  const stage = element("div", { class: "views" });
  try {
    await app.open(stage);
  } catch (error) {
    waiting.setAttribute("role", "alert");
    waiting.textContent = `This page could not be shown: ${error instanceof Error ? error.message : error}. It needs a browser of 2023 or later.`;
    throw error;
  }
  const places = Object.fromEntries(["search", "look", "inspector", "pinned", "legend", "largest", "time"].map((name) => [name, element("section", { class: name })]));
  places.pinned.hidden = true;
  const { search, look, inspector, pinned, legend, largest } = places;
  const aside = element("aside", {}, search, look, inspector, pinned, legend, largest);
  const work = element("main", {}, element("div", { class: "pictures" }, toolbar(app), stage, places.time), aside);
  waiting.replaceWith(work);
  addControls(app, places.look);
  addLegend(app, places.legend);
  addTimeline(app, places.time);
  addSearch(app, search);
  addInspector(app, inspector);
  addPinned(app, pinned);
  addLargest(app, largest);
  addSpoken(app, aside);
  addKeys(app);
  addLink(app);
  // for those who script the page
  Object.assign(window, { splineviz: app });
}

/** @param {import("./panel.js").Scene} scene */
function heading({ title, panels, warnings, note, kind }) {
  const lines = kind === "animation" ? [] : panels.map(({ name, card, status, proven }) => {
    const who = panels.length > 1 ? `${name}: ` : "";
    return element("p", {}, `${who}${thousands(card.cells)} cells; ${status}; ${proven}`);
  });
  const said = warnings.map((text) => element("p", { class: "warning" }, text));
  return element("header", {}, element("h1", {}, title), ...lines, ...(note ? [element("p", {}, note)] : []), ...said);
}

/** @param {App} app */
function toolbar(app) {
  const said = element("span", { role: "status", class: "said" });
  const tell = (/** @type {string} */ text) => {
    said.textContent = text;
    if (text) setTimeout(() => (said.textContent = ""), 5000);
  };
  const middle = () => app.views[0].size.map((side) => side / 2);
  const zoom = (/** @type {number} */ factor) => app.views[0].zoom(factor, middle()[0], middle()[1]);
  return element(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "View" },
    button("+", "Zoom in (key +)", () => zoom(2), { "aria-label": "Zoom in" }),
    button("−", "Zoom out (key −)", () => zoom(0.5), { "aria-label": "Zoom out" }),
    button("Whole window", "Show the whole window (key 0)", () => app.home()),
    button("PNG", "Save the view as a PNG file", () => savePng(app)),
    button("SVG", "Save the shapes in view as an SVG file", () => tell(saveSvg(app))),
    addHelp(),
    said,
  );
}

begin();
