/** The input at a spot: an image, a curve, or a table of few numbers. */

import { fromBase64 } from "./bytes.js";
import { element, short, vector } from "./dom.js";

/** @typedef {NonNullable<import("./panel.js").Scene["input"]>} Inputs */

const COLUMNS = 300;
const HEIGHT = 100;

/** Draws the inputs of the plane: origin + u * first direction + v * second direction. */
export class InputView {
  /** @param {Inputs} inputs @param {[number, number][]} window in uv */
  constructor(inputs, window) {
    this.inputs = inputs;
    this.window = window;
    this.origin = singles(inputs.origin);
    this.first = singles(inputs.u);
    this.second = singles(inputs.v);
    /** @type {(u: number, v: number) => void} */
    this.show = () => {};
    const caption = element("figcaption", {}, "Input here");
    this.root = element("figure", { class: `input-view ${inputs.kind}` }, caption, this.build());
  }

  /** @returns {Element} */
  build() {
    if (this.inputs.kind === "image") return this.image();
    return this.inputs.kind === "curve" ? this.curve() : this.table();
  }

  /** Entry of the input at uv. @param {number} entry @param {number} u @param {number} v */
  at(entry, u, v) {
    return this.origin[entry] + u * this.first[entry] + v * this.second[entry];
  }

  image() {
    const [height, width, channels] = this.inputs.shape;
    const canvas = element("canvas", { width, height, role: "img", "aria-label": "The input here, as an image" });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const pixels = new ImageData(width, height);
    this.show = (u, v) => {
      this.paint(pixels.data, channels === 3, u, v);
      context.putImageData(pixels, 0, 0);
    };
    return canvas;
  }

  /** @param {Uint8ClampedArray} data @param {boolean} colored @param {number} u @param {number} v */
  paint(data, colored, u, v) {
    const { origin, first, second } = this;
    const { low, high } = this.inputs;
    const gain = high > low ? 255 / (high - low) : 0;
    for (let pixel = 0, entry = 0; pixel < data.length; pixel += 4) {
      for (let channel = 0; channel < 3; channel++) {
        data[pixel + channel] = gain * (origin[entry] + u * first[entry] + v * second[entry] - low);
        if (colored) entry++;
      }
      if (!colored) entry++;
      data[pixel + 3] = 255;
    }
  }

  curve() {
    const [low, high] = this.range();
    const line = vector("polyline", { class: "curve" });
    const height = (/** @type {number} */ value) => HEIGHT * (1 - (value - low) / (high - low || 1));
    const label = `Curve of ${this.origin.length} numbers from ${short(low)} to ${short(high)}`;
    const axis = vector("line", { class: "zero", x1: 0, x2: COLUMNS, y1: height(0), y2: height(0) });
    this.show = (u, v) => line.setAttribute("points", this.points(u, v, height));
    const frame = { viewBox: `0 0 ${COLUMNS} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label };
    return vector("svg", frame, axis, line);
  }

  /** Least and largest entry on the window: the corners have them. @returns {[number, number]} */
  range() {
    let { low, high } = this.inputs;
    for (const [u, v] of this.window) {
      for (let entry = 0; entry < this.origin.length; entry++) {
        const value = this.at(entry, u, v);
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    return [low, high];
  }

  /** Points of the curve; of many entries the least and the largest of each column.
   * @param {number} u @param {number} v @param {(value: number) => number} height */
  points(u, v, height) {
    const n = this.origin.length;
    const columns = Math.min(n, COLUMNS);
    const found = [];
    for (let column = 0; column < columns; column++) {
      const end = Math.floor(((column + 1) * n) / columns);
      let [low, high] = [Infinity, -Infinity];
      for (let entry = Math.floor((column * n) / columns); entry < end; entry++) {
        const value = this.at(entry, u, v);
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
      const x = ((column + 0.5) / columns) * COLUMNS;
      found.push(`${x},${height(low).toFixed(2)}`);
      if (high > low) found.push(`${x},${height(high).toFixed(2)}`);
    }
    return found.join(" ");
  }

  table() {
    const cells = Array.from(this.origin, () => element("td"));
    const rows = cells.map((cell, entry) => element("tr", {}, element("th", { scope: "row" }, String(entry)), cell));
    this.show = (u, v) => cells.forEach((cell, entry) => (cell.textContent = short(this.at(entry, u, v), 6)));
    const head = element("tr", {}, element("th", { scope: "col" }, "entry"), element("th", { scope: "col" }, "value"));
    return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  }
}

/** Single-precision numbers out of text. @param {string} text */
function singles(text) {
  return new Float32Array(fromBase64(text).slice().buffer);
}
