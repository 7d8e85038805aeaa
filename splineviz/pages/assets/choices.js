/** What a choice highlights: cells that stand out, and edges that are drawn on top. */

import { MIXED } from "./decisions.js";

/** @typedef {import("./panel.js").Panel} Panel */

/** @param {Panel} panel @param {import("./app.js").Choice} choice @returns {{cells: Uint8Array | null, edges: number[]}} */
export function chosen(panel, choice) {
  const { kind, number, stage } = choice;
  if (!isOf(panel, choice)) return { cells: null, edges: [] };
  if (kind === "unit") return { cells: null, edges: edgesOfUnit(panel, number) };
  if (kind === "none") return { cells: null, edges: [] };
  const { cells, stages } = panel;
  if (kind === "class") {
    const { ofCell } = panel.decisions();
    return { cells: Uint8Array.from(ofCell, (winner) => (winner === number || winner === MIXED ? 1 : 0)), edges: [] };
  }
  const labels = kind === "region" ? stages.regions() : stages.labelsAt(stage ?? stages.last);
  if (!labels || number >= cells.n) return { cells: null, edges: [] };
  const label = labels[number];
  return { cells: Uint8Array.from(labels, (one) => (one === label ? 1 : 0)), edges: [] };
}

/** Whether the numbers of a choice are those of a panel: units are of a network, cells of one panel, classes of all.
 * @param {Panel} panel @param {import("./app.js").Choice} choice */
function isOf({ scene, index }, { kind, panel }) {
  if (panel === undefined || kind === "class") return true;
  return kind === "unit" ? scene.panels[panel].network === scene.panels[index].network : panel === index;
}

/** All edges at which a unit changes. @param {Panel} panel @param {number} unit */
function edgesOfUnit({ cells }, unit) {
  const found = [];
  for (let edge = 0; edge < cells.nEdges; edge++) {
    for (let k = cells.firstUnit[edge]; k < cells.firstUnit[edge + 1]; k++) {
      if (cells.edgeUnits[k] >>> 1 === unit) found.push(edge);
    }
  }
  return found;
}
