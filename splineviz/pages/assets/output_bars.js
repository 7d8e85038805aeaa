/** Outputs at a spot as bars from zero, with names and numbers; the largest stands out. */

import { element, short } from "./dom.js";

/** @typedef {import("./panel.js").Panel} Panel */

const MOST_BARS = 16;

export class OutputBars {
  /** @param {Panel} panel */
  constructor(panel) {
    const { network, cells, palette } = panel;
    this.names = network.outputs.map(({ name }) => name);
    this.colors = this.names.length > 1 ? palette.classes : [];
    const shown = Math.min(MOST_BARS, cells.values.length);
    this.rows = Array.from({ length: shown }, () => new BarRow());
    const which = cells.values.length > shown ? `, the largest ${shown}` : "";
    const kept = network.n_outputs > cells.values.length ? `; the page has ${cells.values.length} of ${network.n_outputs}` : "";
    this.root = element(
      "table",
      { class: "output-bars", hidden: shown === 0 },
      element("caption", {}, `Outputs here${which}${kept}`),
      element("tbody", {}, ...this.rows.map(({ root }) => root)),
    );
  }

  /** @param {number[]} outputs */
  show(outputs) {
    const order = outputs.map((_, k) => k);
    if (outputs.length > MOST_BARS) order.sort((a, b) => outputs[b] - outputs[a]).length = MOST_BARS;
    let largest = 0;
    let [low, high] = [0, 0];
    outputs.forEach((value, k) => {
      if (value > outputs[largest]) largest = k;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    });
    const share = (/** @type {number} */ value) => (high > low ? (100 * (value - low)) / (high - low) : 0);
    order.forEach((k, row) => {
      const stands = outputs.length > 1 && k === largest;
      this.rows[row].show(this.names[k], outputs[k], share(0), share(outputs[k]), this.colors[k], stands);
    });
  }
}

class BarRow {
  constructor() {
    this.name = element("th", { scope: "row" });
    this.bar = element("span", { class: "bar-length" });
    this.zero = element("span", { class: "bar-zero" });
    this.value = element("td", { class: "number" });
    const bars = element("td", { class: "bar-room", "aria-hidden": "true" }, this.bar, this.zero);
    this.root = element("tr", {}, this.name, bars, this.value);
  }

  /** @param {string} name @param {number} value @param {number} zero @param {number} end both in percent of the room
   * @param {string | undefined} color @param {boolean} largest */
  show(name, value, zero, end, color, largest) {
    this.name.textContent = name;
    this.name.title = name;
    this.value.textContent = short(value, 6);
    this.bar.style.left = `${Math.min(zero, end)}%`;
    this.bar.style.width = `${Math.abs(end - zero)}%`;
    this.bar.style.backgroundColor = color ?? "";
    this.zero.style.left = `${zero}%`;
    this.root.className = largest ? "largest-output" : "";
  }
}
