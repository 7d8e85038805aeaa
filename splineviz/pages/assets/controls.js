/** Controls of the look: colours, lines, marks, stage, and the graph in 3-D. */

import { modes } from "./colors.js";
import { button, chooser, element, thousands, tick } from "./dom.js";

/** @typedef {import("./app.js").App} App */

const COLOR_NAMES = {
  random: "pattern",
  norm: "norm of the map",
  jacobian: "input Jacobian",
  class: "class",
  area: "area",
  kink: "largest kink",
  stage: "stage of birth",
  volume: "volume factor",
  value: "output value",
  none: "none",
};
const EDGE_NAMES = { stage: "by stage", kink: "by kink", plain: "plain", none: "none" };

/** @param {App} app @param {HTMLElement} root */
export function addControls(app, root) {
  const draw = () => {
    const focused = root.contains(document.activeElement) ? document.activeElement?.getAttribute("name") : null;
    root.replaceChildren(...controls(app));
    if (focused) /** @type {HTMLElement | null} */ (root.querySelector(`[name="${focused}"]`))?.focus();
  };
  app.on("settings", draw);
  app.on("frame", draw);
  draw();
}

/** @param {App} app @returns {HTMLElement[]} */
function controls(app) {
  const { settings, scene, panel } = app;
  const offered = modes(panel).map((mode) => /** @type {[string, string]} */ ([mode, COLOR_NAMES[/** @type {"random"} */ (mode)]]));
  const edges = Object.entries(EDGE_NAMES).filter(([how]) => how !== "kink" || panel.hasValues || panel.cells.given.jump);
  const color = chooser("Colour", offered, settings.color, (value) => app.set({ color: value }));
  const lines = chooser("Edges", edges, settings.edges, (value) => app.set({ edges: value }));
  const marks = element("div", { class: "ticks" });
  if (panel.hasValues) {
    marks.append(tick(boundaryName(app), settings.boundary, (boundary) => app.set({ boundary })));
  }
  if (scene.anchors.length) marks.append(tick("anchors", settings.anchors, (anchors) => app.set({ anchors })));
  if (scene.data) marks.append(tick("data", settings.data, (data) => app.set({ data })));
  const rows = [color, lines, marks];
  if (panel.stages.last > 0) rows.push(stageSlider(app));
  if (panel.hasValues) rows.push(graph(app));
  [...rows].forEach((row, k) => row.querySelectorAll("select, input, button").forEach((one, j) => one.setAttribute("name", `look-${k}-${j}`)));
  return rows;
}

/** @param {App} app */
export function boundaryName({ scene, panel }) {
  return panel.network.n_outputs === 1 ? `output = ${scene.level}` : "decision boundary";
}

/** The cells as they are after a stage. @param {App} app */
function stageSlider(app) {
  const { settings, panel } = app;
  const { last } = panel.stages;
  const stage = Math.min(settings.stage, last);
  const cells = panel.cellsPerStage[stage];
  const said = `stage ${panel.stages.label(stage)}${cells === undefined ? "" : `; ${thousands(cells)} cells`}`;
  const slider = element("input", {
    type: "range",
    min: 0,
    max: last,
    step: 1,
    value: stage,
    "aria-label": "After stage",
    "aria-valuetext": said,
    input: (event) => app.set({ stage: Number(event.target.value) }),
  });
  const head = element("span", {}, "After stage", element("b", {}, `${stage} of ${last}`));
  return element("div", { class: "slider" }, head, slider, element("small", {}, said));
}

/** @param {App} app */
function graph(app) {
  const { settings, panel } = app;
  const outputs = panel.network.outputs.map(({ name }, k) => /** @type {[string, string]} */ ([String(k), `output ${name}`]));
  if (outputs.length > 1) {
    outputs.push(["margin", "margin of the two largest"], ["largest", "largest output"]);
    panel.network.outputs.forEach(({ name }, k) => outputs.push([`margin-${k}`, `output ${name} minus best other`]));
  }
  const toggle = button("3-D", "The graph of the function over the slice (key 3)", () => app.set({ surface: !settings.surface }), {
    "aria-pressed": String(settings.surface),
  });
  const row = element("div", { class: "graph" }, toggle);
  if (outputs.length > 1) row.append(chooser("Height", outputs, settings.output, (output) => app.set({ output })));
  return row;
}
