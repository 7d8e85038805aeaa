/** One field that finds a unit by name or number, a cell by number, or a point. */

import { zoomOn } from "./camera.js";
import { button, element, thousands } from "./dom.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {{unit: number} | {cell: number} | {uv: [number, number]} | {error: string}} Sought */

const EXAMPLES = "a unit: net.2[17] or stage 1 unit 17; a cell: cell 1234; a point: 0.25, -1.5";

/** @param {App} app @param {HTMLElement} root */
export function addSearch(app, root) {
  const said = element("p", { role: "status", class: "said", id: "sought" });
  const names = element("datalist", { id: "stage-names" });
  const field = element("input", {
    type: "text",
    list: "stage-names",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "unit, cell or u, v",
    title: `Find ${EXAMPLES}`,
    "aria-describedby": "sought",
  });
  const find = (/** @type {Event} */ event) => {
    event.preventDefault();
    const { text, failed } = goToSought(app, readSought(app.panel, field.value));
    said.textContent = text;
    field.setAttribute("aria-invalid", String(failed));
  };
  const label = element("label", { class: "field" }, element("span", {}, "Find"), field, names);
  const form = element("form", { role: "search", submit: find }, label, button("Go", "Find it", () => {}, { type: "submit" }));
  root.append(form, said);
  const fill = () => names.replaceChildren(...stageOptions(app.panel));
  app.on("frame", fill);
  fill();
}

/** @param {Panel} panel */
function stageOptions({ stages: { stages } }) {
  return stages.map(({ name, kind, units }, k) => {
    const unique = stages.filter((other) => other.name === name).length === 1;
    const value = unique ? `${name}[` : `stage ${k} unit `;
    return element("option", { value, label: `stage ${k}: ${name}, ${kind}, ${thousands(units)} units` });
  });
}

/** What a text asks for. @param {Panel} panel @param {string} text @returns {Sought} */
export function readSought(panel, text) {
  const plain = text.trim().replaceAll("−", "-");
  if (!plain) return { error: `Say ${EXAMPLES}.` };
  const cell = /^(?:cell\s*|#\s*)?(\d+)$/i.exec(plain);
  if (cell) {
    const number = Number(cell[1]);
    const last = panel.cells.n - 1;
    return number <= last ? { cell: number } : { error: `There is no cell ${cell[1]}: the last one is ${last}.` };
  }
  const parts = plain.split(/\s*[,;]\s*|\s+/);
  const numbers = parts.map(Number);
  if (parts.length === 2 && parts.every(Boolean) && numbers.every(Number.isFinite)) return { uv: [numbers[0], numbers[1]] };
  return readUnit(panel, plain);
}

/** @param {Panel} panel @param {string} text @returns {Sought} */
function readUnit({ stages }, text) {
  const numbered = /^stage\s*(\d+)\s*,?\s*unit\s*(\d+)$/i.exec(text);
  if (numbered) return unitWithin(stages, Number(numbered[1]), Number(numbered[2]));
  const named = /^(.*?)\s*\[([\d\s,]*)\]?(?:,?\s*breakpoint\s+(\d+))?$/i.exec(text);
  const name = named ? named[1] : text;
  const found = stages.stages.flatMap((stage, k) => (stage.name === name ? [k] : []));
  if (!found.length) return { error: `Nothing here is called ${text}. Say ${EXAMPLES}.` };
  const [stage] = found;
  if (found.length > 1) return { error: `Stages ${found.join(", ")} are all called ${name}: say stage ${stage} unit 0.` };
  const { shape, breakpoints, units } = stages.stages[stage];
  const first = stages.unitName(stages.firstUnit[stage]);
  const last = stages.unitName(stages.firstUnit[stage + 1] - 1);
  if (!named || !named[2].trim()) return { error: `${name} has ${thousands(units)} units: say which, ${first} to ${last}.` };
  const index = named[2].split(",").map(Number);
  const kink = Number(named[3] ?? 0);
  const inside = index.length === shape.length && index.every((one, k) => Number.isInteger(one) && one < shape[k]) && kink < breakpoints;
  if (!inside) return { error: `${name} has no unit [${named[2].trim()}]: they are ${first} to ${last}.` };
  const entries = shape.reduce((product, size) => product * size, 1);
  const within = index.reduce((sum, one, k) => sum * shape[k] + one, 0) + kink * entries;
  return { unit: stages.firstUnit[stage] + within };
}

/** @param {import("./stages.js").Stages} stages @param {number} stage @param {number} within @returns {Sought} */
function unitWithin({ stages, firstUnit }, stage, within) {
  if (stage >= stages.length) return { error: `There is no stage ${stage}: they are 0 to ${stages.length - 1}.` };
  const { units, name } = stages[stage];
  if (within >= units) return { error: `Stage ${stage}, ${name}, has units 0 to ${units - 1}, not ${within}.` };
  return { unit: firstUnit[stage] + within };
}

/** Look at what is sought, and pin or highlight it. @param {App} app @param {Sought} sought @returns {{text: string, failed: boolean}} */
function goToSought(app, sought) {
  const { panel } = app;
  if ("error" in sought) return { text: sought.error, failed: true };
  if ("unit" in sought) return goToUnit(app, sought.unit);
  if ("cell" in sought) {
    const { cell } = sought;
    const [x, y] = panel.cells.middle(cell);
    app.visit({ panel, cell, x, y });
    return { text: `Cell ${cell}${whose(app)} is pinned.`, failed: false };
  }
  const { corner, extent } = panel.cells;
  const [x, y] = sought.uv.map((coordinate, k) => (coordinate - corner[k]) / extent);
  const spot = app.spot(panel, x, y);
  if (!spot) return { text: `${sought.uv.join(", ")} lies outside the window.`.replaceAll("-", "−"), failed: true };
  app.visit(spot);
  return { text: `Cell ${spot.cell}${whose(app)} is pinned.`, failed: false };
}

/** Of several networks search knows the first. @param {App} app */
function whose({ scene, panel }) {
  return scene.kind === "comparison" ? ` of ${panel.name}` : "";
}

/** @param {App} app @param {number} unit */
function goToUnit(app, unit) {
  const { panel } = app;
  const { cells, stages } = panel;
  /** @type {import("./app.js").Choice} */
  const choice = { kind: "unit", number: unit, panel: panel.index };
  const { edges } = panel.chosen(choice);
  if (!edges.length) return { text: `${stages.unitName(unit)}${whose(app)} changes nowhere in this window.`, failed: true };
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const edge of edges) {
    for (const vertex of [cells.edgeFrom[edge], cells.edgeTo[edge]]) {
      [x0, x1] = [Math.min(x0, cells.x[vertex]), Math.max(x1, cells.x[vertex])];
      [y0, y1] = [Math.min(y0, cells.y[vertex]), Math.max(y1, cells.y[vertex])];
    }
  }
  app.lookAt((x0 + x1) / 2, (y0 + y1) / 2, zoomOn(Math.max(x1 - x0, y1 - y0), 0.8));
  app.choose(choice);
  const count = `${thousands(edges.length)} ${edges.length === 1 ? "edge" : "edges"}`;
  return { text: `${stages.unitName(unit)}${whose(app)} makes ${count}, highlighted.`, failed: false };
}
