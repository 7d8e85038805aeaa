/** Colours of cells and edges: by pattern, class, stage, or a quantity on a scale. */

import { MIXED } from "./decisions.js";

/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {import("./panel.js").Palette} Palette */
/** @typedef {{low: number, high: number, log: boolean}} Scale */
/** @typedef {{packed: Uint32Array, scale?: Scale, label?: string, pixels?: "class" | "value"}} Fill
 * a colour for each cell; `pixels` where cells with several classes, or all, are coloured pixel by pixel */

/** @typedef {{label: string, log: boolean, of: (panel: Panel) => Float64Array | Float32Array}} Quantity */

/** Quantities of cells, by the name of the colour mode. @type {Record<string, Quantity>} */
export const QUANTITIES = {
  norm: { label: "norm of the map in the slice", log: true, of: (panel) => panel.norms() },
  volume: { label: "volume factor √det AᵀA", log: true, of: (panel) => panel.volumes() },
  jacobian: { label: "norm of the input Jacobian", log: true, of: (panel) => panel.cells.given.jacobian },
  area: { label: "area (input distance²)", log: true, of: (panel) => panel.areas() },
  kink: { label: "largest kink at a side", log: true, of: (panel) => panel.kinks() },
};

const PLAIN = "#f6f6f4";
const LINE_INK = "#1a1a1a";
const LEVELS = 128;

/** Names of colour modes that a panel has the data for. @param {Panel} panel @returns {string[]} */
export function modes(panel) {
  const { cells } = panel;
  const valued = cells.values.length > 0;
  const shown = panel.network.n_outputs;
  return [
    "random",
    ...(valued || cells.given.norm ? ["norm"] : []),
    ...(cells.given.jacobian ? ["jacobian"] : []),
    ...(valued ? ["class"] : []),
    "area",
    ...(valued || cells.given.jump ? ["kink"] : []),
    "stage",
    ...(valued || cells.given.volume ? ["volume"] : []),
    ...(valued && (shown === 1 || shown === 3) ? ["value"] : []),
    "none",
  ];
}

/** Colours of all cells of a panel. @param {Panel} panel @param {string} mode @param {number} stage cells are those after this stage
 * @param {Scale | undefined} scale given ends, or found here @returns {Fill} */
export function fillOf(panel, mode, stage, scale) {
  const { cells, stages, palette } = panel;
  const packed = new Uint32Array(cells.n);
  if (stage < stages.last) {
    if (mode === "none") return { packed: packed.fill(pack(PLAIN)) };
    // what a cell is after an earlier stage is known by its pattern only
    const labels = stages.labelsAt(stage);
    for (let cell = 0; cell < cells.n; cell++) packed[cell] = ofPattern(cells, labels[cell]);
    return { packed };
  }
  if (mode === "random") {
    for (let cell = 0; cell < cells.n; cell++) packed[cell] = ofPattern(cells, cell);
    return { packed };
  }
  if (mode === "none") return { packed: packed.fill(pack(PLAIN)) };
  if (mode === "stage") {
    const fills = palette.fills.map(pack);
    for (let cell = 0; cell < cells.n; cell++) packed[cell] = fills[cells.stage[cell] + 1];
    return { packed, label: "stage of birth" };
  }
  if (mode === "class") {
    const classes = palette.classes.map(pack);
    const { ofCell } = panel.decisions();
    for (let cell = 0; cell < cells.n; cell++) packed[cell] = ofCell[cell] === MIXED ? 0 : classes[ofCell[cell]];
    return { packed, pixels: "class" };
  }
  if (mode === "value") {
    const ends = scale ?? scaleOf(cells.values.length === 1 ? cells.values[0] : concatenated(cells.values), null, false, true);
    return { packed, pixels: "value", scale: ends, label: cells.values.length === 1 ? "output" : "outputs as red, green, blue" };
  }
  const { of, label, log } = QUANTITIES[mode];
  const values = of(panel);
  const ends = scale ?? scaleOf(values, panel.areas(), log, false);
  const steps = palette.scaleWords;
  for (let cell = 0; cell < cells.n; cell++) packed[cell] = steps[step(values[cell], ends)];
  return { packed, scale: ends, label };
}

/** Which of the 256 steps of a scale a value is on. @param {number} value @param {Scale} scale */
export function step(value, { low, high, log }) {
  const share = log
    ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
    : (value - low) / (high - low);
  return Math.max(0, Math.min(255, Math.floor(256 * share)));
}

/** Ends of a scale, beyond which lies 1 % of the picture each. @param {ArrayLike<number>} values @param {ArrayLike<number> | null} weights
 * @param {boolean} log @param {boolean} signed @returns {Scale} */
export function scaleOf(values, weights, log, signed) {
  const order = Array.from({ length: values.length }, (_, k) => k).filter(
    (k) => Number.isFinite(values[k]) && (!log || values[k] > 0),
  );
  order.sort((a, b) => values[a] - values[b]);
  const total = order.reduce((sum, k) => sum + (weights ? weights[k] : 1), 0);
  const quantile = (/** @type {number} */ share) => {
    let sum = 0;
    for (const k of order) {
      sum += weights ? weights[k] : 1;
      if (sum >= share * total) return values[k];
    }
    return order.length ? values[order[order.length - 1]] : 1;
  };
  const [low, high] = [quantile(0.01), quantile(0.99)];
  if (high > low) return { low, high, log };
  if (log) return { low: low / 2, high: high * 2, log };
  return signed ? { low: low - 0.5, high: high + 0.5, log } : { low: 0, high: 2 * high || 1, log };
}

/** @param {import("./cells.js").Cells} cells @param {number} cell */
function ofPattern({ rgb, n }, cell) {
  return (255 << 24) | (rgb[2 * n + cell] << 16) | (rgb[n + cell] << 8) | rgb[cell];
}

/** A pixel's word out of "#rrggbb". @param {string} color */
export function pack(color) {
  const [red, green, blue] = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** "#rrggbb" out of a pixel's word. @param {number} word */
export function unpack(word) {
  const parts = [word & 255, (word >> 8) & 255, (word >> 16) & 255];
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Mixed with white. @param {number} word */
export function faded(word) {
  const mixed = (/** @type {number} */ shift) => Math.round(255 - 0.28 * (255 - ((word >>> shift) & 255))) << shift;
  return ((255 << 24) | mixed(16) | mixed(8) | mixed(0)) >>> 0;
}

/** @typedef {{color: number, thick: number, alpha: number}} LineStyle 0xbbggrr and pixels */

/** How edges look: few styles, and the number of that of an edge. @param {Panel} panel @param {string} mode @param {number} widest pixels
 * @returns {{styles: LineStyle[], of: (edge: number) => number}} */
export function edgeStyles(panel, mode, widest) {
  const n = Math.max(1, panel.stages.stages.length);
  const ink = pack(LINE_INK) & 0xffffff;
  if (mode === "stage") {
    const styles = panel.palette.lines.map((color, stage) => ({
      color: pack(color) & 0xffffff,
      thick: widest * (1 - 0.45 * (n > 1 ? stage / (n - 1) : 0)),
      alpha: 1,
    }));
    return { styles, of: (edge) => panel.stages.ofEdge[edge] };
  }
  if (mode !== "kink") return { styles: [{ color: ink, thick: widest, alpha: 1 }], of: () => 0 };
  const jumps = panel.jumps();
  const top = panel.once("top jump", () => topOf(jumps));
  const styles = Array.from({ length: LEVELS }, (_, k) => {
    const share = k / (LEVELS - 1);
    return { color: ink, thick: widest * (0.2 + 1.6 * share), alpha: 0.12 + 0.88 * share };
  });
  return { styles, of: (edge) => (top > 0 ? Math.round((LEVELS - 1) * Math.min(1, Math.sqrt(jumps[edge] / top))) : 0) };
}

/** @param {ArrayLike<number>} jumps */
function topOf(jumps) {
  const sorted = Float64Array.from(jumps).filter((jump) => jump > 0).sort();
  return sorted.length ? sorted[Math.floor(0.99 * (sorted.length - 1))] : 0;
}

/** @param {Float64Array[]} arrays */
function concatenated(arrays) {
  const all = new Float64Array(arrays.reduce((n, array) => n + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Some colours along a scale, with their places from 0 to 1. @param {Uint32Array} words @returns {[number, string][]} */
export function scaleSteps(words) {
  return Array.from({ length: 17 }, (_, k) => [k / 16, unpack(words[Math.min(255, k * 16)])]);
}
