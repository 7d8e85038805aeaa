/** One sentence about what hover or the keyboard shows, for those who cannot see it. */

import { element, short } from "./dom.js";
import { className, factsOf } from "./spot_facts.js";

/** @typedef {import("./app.js").App} App */

const SPEAK_AFTER = 500;

/** @param {App} app @param {HTMLElement} root */
export function addSpoken(app, root) {
  const region = element("p", { class: "spoken", role: "status", "aria-live": "polite" });
  root.append(region);
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      const text = sentence(app);
      if (region.textContent !== text) region.textContent = text;
    }, SPEAK_AFTER);
  };
  for (const what of ["hover", "pin", "frame"]) app.on(what, later);
}

/** @param {App} app */
function sentence({ hovered, pinned }) {
  const spot = hovered ?? pinned;
  if (!spot) return "";
  const { panel } = spot;
  const facts = factsOf(spot);
  const held = pinned && pinned.panel === panel && pinned.cell === spot.cell ? "Pinned cell" : "Cell";
  const parts = [`${held} ${facts.cell}`, `area ${short(facts.area, 3)}`];
  if (facts.class !== null) parts.push(panel.cells.values.length > 1 ? `class ${className(panel, facts.class)}` : className(panel, facts.class));
  if (facts.doubtful) parts.push("in doubt");
  if (facts.units.length) parts.push(`${short(facts.edgeDistance, 3)} from an edge of ${panel.stages.unitName(facts.units[0])}`);
  return `${parts.join(", ")}.`;
}
