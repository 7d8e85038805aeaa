/** A table of the largest cells, each a button that goes there. */

import { button, element, short } from "./dom.js";
import { folded, numberTable, percent } from "./tables.js";
import { classOfCell, className, isMixed } from "./spot_facts.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./panel.js").Panel} Panel */

const MOST_LARGEST = 20;

/** One table for each panel in view, made when it is opened. @param {App} app @param {HTMLElement} root */
export function addLargest(app, root) {
  const draw = () => {
    const open = [...root.querySelectorAll("details")].map((one) => one.open);
    root.replaceChildren(...app.views.map(({ panel }, k) => largest(app, panel, open[k] ?? false)));
  };
  app.on("frame", draw);
  draw();
}

/** @param {App} app @param {Panel} panel @param {boolean} open */
function largest(app, panel, open) {
  const place = element("div");
  const of = app.views.length > 1 ? ` of ${panel.name}` : "";
  const found = folded(`Largest cells${of}`, place, open);
  const fill = () => {
    if (found.open && !place.firstChild) place.append(largestTable(app, panel));
  };
  found.addEventListener("toggle", fill);
  fill();
  return found;
}

/** @param {App} app @param {Panel} panel */
function largestTable(app, panel) {
  const areas = panel.areas();
  const whole = areas.reduce((sum, area) => sum + area, 0);
  const rows = largestOf(areas, MOST_LARGEST).map((cell) => {
    const [x, y] = panel.cells.middle(cell);
    return [
      button(String(cell), `Go to cell ${cell}, and pin it`, () => app.visit({ panel, cell, x, y })),
      short(areas[cell], 6),
      percent(areas[cell], whole),
      ...(panel.hasValues ? [isMixed(panel, cell) ? "several" : className(panel, classOfCell(panel, cell))] : []),
      panel.cells.stage[cell] < 0 ? "–" : String(panel.cells.stage[cell]),
    ];
  });
  return numberTable(["cell", "area", "share, %", ...(panel.hasValues ? ["class"] : []), "stage"], rows);
}

/** Places of the largest numbers, from the largest on. @param {Float64Array} numbers @param {number} count */
function largestOf(numbers, count) {
  /** @type {number[]} */
  const found = [];
  for (let k = 0; k < numbers.length; k++) {
    if (found.length === count && numbers[k] <= numbers[found[count - 1]]) continue;
    let at = found.length;
    while (at > 0 && numbers[found[at - 1]] < numbers[k]) at--;
    found.splice(at, 0, k);
    if (found.length > count) found.pop();
  }
  return found;
}
