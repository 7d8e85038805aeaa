/** What the colours and lines say. */

import { scaleSteps } from "./colors.js";
import { boundaryName } from "./controls.js";
import { element, short, thousands, vector } from "./dom.js";

/** @typedef {import("./app.js").App} App */

const MOST = 12;

/** @param {App} app @param {HTMLElement} root */
export function addLegend(app, root) {
  const draw = () => root.replaceChildren(...legend(app));
  for (const what of ["settings", "frame"]) app.on(what, draw);
  draw();
}

/** @param {App} app @returns {HTMLElement[]} */
function legend(app) {
  const found = [...fills(app), ...lines(app)];
  const marks = [];
  const { settings, scene, panel } = app;
  if (settings.boundary && panel.hasValues) marks.push(line(scene.palette.boundary, 2.2, boundaryName(app)));
  if (panel.cells.doubtful.length) marks.push(line("#d95f02", 2.2, "cells in doubt"));
  if (scene.valid) marks.push(element("li", {}, patch("#ffffff"), "veiled: inputs out of range"));
  if (settings.data && scene.data) marks.push(element("li", {}, dot("#1a1a1a"), "data, fainter farther off the plane"));
  if (settings.anchors) {
    for (const { letter, caption } of scene.anchors) {
      if (caption) marks.push(element("li", {}, element("b", {}, letter), ` ${caption}`));
    }
  }
  if (marks.length) found.push(element("ul", { class: "key" }, ...marks));
  return found;
}

/** @param {App} app */
function fills(app) {
  const { settings, palette, panel, views } = app;
  const early = settings.stage < panel.stages.last;
  if (settings.color === "class" && !early) {
    const names = panel.network.outputs.map(({ name }) => name);
    const single = panel.network.n_outputs === 1;
    const sides = single ? [`output ≤ ${app.scene.level}`, `output > ${app.scene.level}`] : names;
    const seen = new Set(panel.decisions().present());
    const shown = sides.map((name, k) => ({ name, k })).filter(({ k }) => seen.has(k));
    const rows = shown.slice(0, MOST).map(({ name, k }) => element("li", {}, patch(palette.classes[k]), name));
    if (shown.length > MOST) rows.push(element("li", {}, `and ${shown.length - MOST} more`));
    return [element("h3", {}, single ? "Sign of the output" : "Class"), element("ul", { class: "key columns" }, ...rows)];
  }
  if (settings.color === "stage" && !early) {
    const rows = panel.stages.stages.map((_, k) => element("li", {}, patch(palette.fills[k + 1]), panel.stages.label(k)));
    return [element("h3", {}, "Stage of birth"), element("ul", { class: "key" }, ...rows.slice(0, 24))];
  }
  const look = views.length ? app.lookOf(views[0]) : null;
  const fill = look && views[0].picture.colors(look);
  if (!fill || !fill.scale || early) return [];
  const { low, high, log } = fill.scale;
  const stops = scaleSteps(palette.scaleWords).map(([at, color]) => vector("stop", { offset: at, "stop-color": color }));
  const ticks = [low, log ? Math.sqrt(low * high) : (low + high) / 2, high];
  const bar = vector(
    "svg",
    { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "bar", role: "img", "aria-label": `scale from ${short(low)} to ${short(high)}` },
    vector("defs", {}, vector("linearGradient", { id: "scale" }, ...stops)),
    vector("rect", { width: 100, height: 8, fill: "url(#scale)" }),
  );
  const labels = element("div", { class: "labels" }, ...ticks.map((value) => element("span", {}, short(value, 3))));
  const kind = fill.pixels === "value" && panel.network.n_outputs === 3 ? [] : [/** @type {any} */ (bar), labels];
  return [element("h3", {}, `${fill.label}${log ? ", logarithmic" : ""}`), ...kind];
}

/** @param {App} app */
function lines({ settings, panel, palette }) {
  if (settings.edges !== "stage") return [];
  const { stages } = panel.stages;
  const step = Math.ceil(stages.length / MOST);
  const rows = stages
    .map(({ units }, k) => ({ k, text: `${panel.stages.label(k)}, ${thousands(units)} units` }))
    .filter(({ k }) => k % step === 0)
    .map(({ k, text }) => line(palette.lines[k], 1.6, text));
  return [element("h3", {}, "Edges of stage"), element("ul", { class: "key" }, ...rows)];
}

/** @param {string} color @param {number} thick @param {string} text */
function line(color, thick, text) {
  const mark = vector("svg", { viewBox: "0 0 24 8", width: 24, height: 8, "aria-hidden": "true" });
  mark.append(vector("line", { x1: 1, x2: 23, y1: 4, y2: 4, stroke: color, "stroke-width": thick, class: "stroke" }));
  return element("li", {}, /** @type {any} */ (mark), text);
}

/** @param {string} color */
function patch(color) {
  const mark = vector("svg", { viewBox: "0 0 14 10", width: 14, height: 10, "aria-hidden": "true" });
  mark.append(vector("rect", { width: 14, height: 10, fill: color, stroke: "#666", "stroke-width": 0.6 }));
  return /** @type {any} */ (mark);
}

/** @param {string} color */
function dot(color) {
  const mark = vector("svg", { viewBox: "0 0 14 10", width: 14, height: 10, "aria-hidden": "true" });
  mark.append(vector("circle", { cx: 7, cy: 5, r: 4, fill: color, stroke: "#fff" }));
  return /** @type {any} */ (mark);
}
