/** Tables of numbers, and parts that can be folded. */

import { element, short } from "./dom.js";

/** A table whose first column names its rows. @param {string[]} heads @param {(string | Node)[][]} rows */
export function numberTable(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map(([first, ...others]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...others.map((one) => element("td", {}, one))),
  );
  return element("table", { class: "numbers" }, element("thead", {}, head), element("tbody", {}, ...body));
}

/** @param {string} text @param {Node} inside @param {boolean} open */
export function folded(text, inside, open) {
  return element("details", { open }, element("summary", {}, text), inside);
}

/** A part of a whole in percent, without the sign. @param {number} part @param {number} whole */
export function percent(part, whole) {
  return short((100 * part) / whole, 6);
}
