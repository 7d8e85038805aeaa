/** What is known about the spot under the cursor, or else the pinned one. */

import { element, short, thousands } from "./dom.js";
import { InputView } from "./input_view.js";
import { OutputBars } from "./output_bars.js";
import { boundaryDistance, className, factsOf, regionSizes, stageName } from "./spot_facts.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./app.js").Spot} Spot */
/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {import("./spot_facts.js").SpotFacts} SpotFacts */

const REST = 100;
const NOT_KNOWN = "–";
const UNITS_OF_MEASURE =
  "Lengths are input distances, areas their squares; norms and kinks are changes of the outputs per input distance.";
const ROWS = {
  cell: "cell",
  class: "class",
  area: "area",
  norm: "norm of the map on the slice",
  stage: "stage of birth",
  region: "linear region",
  hash: "pattern, first 8 digits",
  doubt: "in doubt",
  uv: "u, v",
  edge: "to the nearest edge",
  unit: "its unit",
  kink: "its kink",
  boundary: "to the decision boundary",
};
/** @typedef {keyof typeof ROWS} Row */

/** @param {App} app @param {HTMLElement} root */
export function addInspector(app, root) {
  const inspector = new Inspector(app, root);
  for (const what of ["hover", "pin", "frame"]) app.on(what, () => inspector.update());
}

class Inspector {
  /** @param {App} app @param {HTMLElement} root */
  constructor(app, root) {
    this.app = app;
    /** @type {Panel | null} */
    this.panel = null;
    this.timer = 0;
    this.head = element("h2", {}, "At the cursor");
    this.hint = element("p", { class: "hint" }, "Move the cursor over a cell; a click or Enter pins it.");
    /** @type {Record<string, HTMLElement>} */
    this.values = Object.fromEntries(Object.keys(ROWS).map((key) => [key, element("dd", { class: `fact-${key}` })]));
    const rows = Object.entries(ROWS).map(([key, label]) => element("div", {}, element("dt", {}, label), this.values[key]));
    const list = element("dl", { class: "facts" }, ...rows);
    this.changing = element("div", { class: "of-network" });
    const { input, window } = app.scene;
    this.input = input && new InputView(input, window);
    const measures = element("p", { class: "hint" }, UNITS_OF_MEASURE);
    this.body = element("div", { class: "spot", hidden: true });
    this.body.append(...(this.input ? [this.input.root] : []), list, this.changing, measures);
    root.append(this.head, this.hint, this.body);
    root.setAttribute("aria-label", "What is at the cursor");
  }

  /** Show the hovered spot, else the pinned one; else what was there last stays, paler. */
  update() {
    const { hovered, pinned, scene } = this.app;
    const spot = hovered ?? pinned;
    this.body.classList.toggle("past", !spot);
    const who = spot && scene.kind === "comparison" ? ` in ${spot.panel.name}` : "";
    this.head.textContent = (hovered ? "At the cursor" : pinned ? "Pinned" : "Last at the cursor") + who;
    if (!spot) return;
    this.hint.hidden = true;
    this.body.hidden = false;
    if (spot.panel !== this.panel) this.build(spot.panel);
    const facts = factsOf(spot);
    this.tell(spot, facts);
    this.input?.show(...facts.uv);
    this.bars?.show(facts.outputs);
    this.units?.show(facts.on);
    this.tellBoundary(spot);
  }

  /** What is different for another network or checkpoint. @param {Panel} panel */
  build(panel) {
    this.panel = panel;
    this.bars = new OutputBars(panel);
    this.units = new UnitsOn(panel);
    this.changing.replaceChildren(this.bars.root, this.units.root);
    const boundary = panel.cells.values.length === 1 ? `output = ${panel.scene.level}` : "the decision boundary";
    /** @type {HTMLElement} */ (this.values.boundary.previousElementSibling).textContent = `to ${boundary}`;
    for (const key of ["class", "boundary"]) this.row(key).hidden = !panel.hasValues;
    this.row("norm").hidden = !panel.hasValues && !panel.cells.given.norm;
  }

  /** @param {string} key */
  row(key) {
    return /** @type {HTMLElement} */ (this.values[key].parentElement);
  }

  /** @param {Spot} spot @param {SpotFacts} facts */
  tell({ panel }, facts) {
    const { stages, cells } = panel;
    const [unit] = facts.units;
    const more = facts.units.length > 1 ? ` and ${facts.units.length - 1} more` : "";
    /** @type {Record<Exclude<Row, "boundary">, string>} */
    const texts = {
      cell: `${facts.cell} of ${thousands(cells.n)}`,
      class: facts.class === null ? NOT_KNOWN : className(panel, facts.class) + (facts.mixed ? ", here; others in the cell" : ""),
      area: short(facts.area, 6),
      norm: sixDigits(facts.norm),
      stage: stageName(panel, facts.stage),
      region: regionText(panel, facts.region),
      hash: facts.hash,
      doubt: facts.doubtful ? "yes" : "no",
      uv: facts.uv.map((coordinate) => short(coordinate, this.digits(cells.extent, coordinate))).join(", "),
      edge: distanceText(facts.edgeDistance),
      unit: unit === undefined ? NOT_KNOWN : `stage ${stages.place(unit)[0]}, ${stages.unitName(unit)}${more}`,
      kink: sixDigits(facts.kink),
    };
    for (const [key, text] of Object.entries(texts)) if (this.values[key].textContent !== text) this.values[key].textContent = text;
    this.row("doubt").classList.toggle("warning", facts.doubtful);
  }

  /** Digits that tell one pixel from the next. @param {number} extent @param {number} coordinate */
  digits(extent, coordinate) {
    const pixel = extent / this.app.camera.scale(1000, 1000);
    return Math.min(17, Math.max(6, Math.ceil(Math.log10(Math.abs(coordinate) / pixel)) + 1));
  }

  /** The boundary is worked out only once, and not before the cursor rests. @param {Spot} spot */
  tellBoundary(spot) {
    clearTimeout(this.timer);
    if (!spot.panel.hasValues) return;
    const tell = () => (this.values.boundary.textContent = distanceText(boundaryDistance(spot)));
    if (spot.panel.known.get("decisions")?.grid) {
      tell();
      return;
    }
    this.values.boundary.textContent = "…";
    this.timer = window.setTimeout(tell, REST);
  }
}

/** Number of units of each stage that are on. */
class UnitsOn {
  /** @param {Panel} panel */
  constructor({ stages }) {
    this.total = element("span");
    this.values = stages.stages.map(() => element("td", { class: "number" }));
    this.sizes = stages.stages.map(({ units }) => units);
    const rows = stages.stages.map(({ name, units }, k) =>
      element("tr", {}, element("th", { scope: "row" }, `${k} (${name})`), this.values[k], element("td", { class: "number" }, thousands(units))),
    );
    const head = element("tr", {}, ...["stage", "on", "of"].map((text) => element("th", { scope: "col" }, text)));
    const table = element("table", { class: "units-on" }, element("thead", {}, head), element("tbody", {}, ...rows));
    this.root = element("details", { open: rows.length <= 6 }, element("summary", {}, "Units on: ", this.total), table);
  }

  /** @param {(number | null)[]} on */
  show(on) {
    let [sum, of] = [0, 0];
    on.forEach((count, k) => {
      this.values[k].textContent = count === null ? NOT_KNOWN : thousands(count);
      if (count !== null) [sum, of] = [sum + count, of + this.sizes[k]];
    });
    this.total.textContent = of ? `${thousands(sum)} of ${thousands(of)}` : NOT_KNOWN;
  }
}

/** @param {number} distance */
function distanceText(distance) {
  return Number.isFinite(distance) ? short(distance, 6) : "none in the window";
}

/** @param {number | null} value */
function sixDigits(value) {
  return value === null ? NOT_KNOWN : short(value, 6);
}

/** @param {Panel} panel @param {number | null} region */
function regionText(panel, region) {
  const sizes = regionSizes(panel);
  if (region === null || !sizes) return NOT_KNOWN;
  return sizes[region] === 1 ? "this cell alone" : `${thousands(sizes[region])} cells, with cell ${region}`;
}
