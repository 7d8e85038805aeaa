/** What is known about a spot: a place, and the cell that holds it. All lengths are input distances. */

/** @typedef {import("./app.js").Spot} Spot */
/** @typedef {import("./panel.js").Panel} Panel */
/**
 * @typedef {{cell: number, uv: [number, number], area: number, class: number | null, mixed: boolean, norm: number | null,
 *   stage: number, hash: string, region: number | null, on: (number | null)[], doubtful: boolean, edge: number,
 *   edgeDistance: number, units: number[], kink: number | null, outputs: number[]}} SpotFacts
 * `class` is the place on the page of the output that wins at the spot, `mixed` whether others win in the same cell;
 * `edge` is the nearest one that is not on the rim, -1 if there is none; `kink` is its own
 */

/** @param {Spot} spot @returns {SpotFacts} */
export function factsOf({ panel, cell, x, y }) {
  const { cells, stages, grid, maps } = panel;
  const valued = panel.hasValues;
  if (valued) maps.take(cell);
  const [edge, away] = grid.nearestEdge(x, y, (one) => cells.edgeCells[2 * one + 1] >= 0);
  return {
    cell,
    uv: cells.uv(x, y),
    area: cells.area(cell),
    class: valued ? maps.winner(x, y, panel.scene.level) : null,
    mixed: valued && isMixed(panel, cell),
    norm: cells.given.norm ? cells.given.norm[cell] : valued ? maps.normAndVolume()[0] : null,
    stage: cells.stage[cell],
    hash: cells.hash[cell].toString(16).padStart(8, "0"),
    region: stages.regions()?.[cell] ?? null,
    on: stages.unitsOn(cell),
    doubtful: doubtfulCells(panel).has(cell),
    edge,
    edgeDistance: away * cells.extent,
    units: edge < 0 ? [] : stages.unitsOf(edge),
    kink: edge < 0 ? null : panel.jump(edge),
    outputs: valued ? maps.all(x, y) : [],
  };
}

/** Whether several outputs win in a cell: one that wins at all corners wins everywhere between them.
 * @param {Panel} panel @param {number} cell */
export function isMixed(panel, cell) {
  const { cells, scene } = panel;
  let winner = -1;
  for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
    const here = winnerAt(cells, cells.corners[side], scene.level);
    if (winner >= 0 && here !== winner) return true;
    winner = here;
  }
  return false;
}

/** Place on the page of the output that wins at a vertex; of a single one 1 above the level, else 0.
 * @param {import("./cells.js").Cells} cells @param {number} vertex @param {number} level */
function winnerAt({ values }, vertex, level) {
  if (values.length === 1) return values[0][vertex] > level ? 1 : 0;
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k][vertex] > values[best][vertex]) best = k;
  return best;
}

/** Class of a cell that is not mixed. @param {Panel} panel @param {number} cell */
export function classOfCell(panel, cell) {
  return winnerAt(panel.cells, panel.cells.corners[panel.cells.first[cell]], panel.scene.level);
}

/** Cells in doubt. @param {Panel} panel @returns {Set<number>} */
function doubtfulCells(panel) {
  return panel.once("doubtful", () => new Set(panel.cells.doubtful));
}

/** Name of a class, or which side of the level a single output is on. @param {Panel} panel @param {number} number */
export function className({ cells, network, scene }, number) {
  if (cells.values.length === 1) return number ? `output above ${scene.level}` : `output at most ${scene.level}`;
  return network.outputs[number].name;
}

/** Name of the stage that separated a cell last. @param {Panel} panel @param {number} stage -1 for none */
export function stageName({ stages }, stage) {
  return stage < 0 ? "none" : `${stage} (${stages.stages[stage].name})`;
}

/** Number of cells in each linear region, at its lowest cell. @param {Panel} panel @returns {Int32Array | null} */
export function regionSizes(panel) {
  return panel.once("region sizes", () => {
    const regions = panel.stages.regions();
    if (!regions) return null;
    const sizes = new Int32Array(panel.cells.n);
    for (const region of regions) sizes[region]++;
    return sizes;
  });
}

/** The nearest place of the decision boundary: its input distance, Infinity where there is none.
 * @param {Spot} spot */
export function boundaryDistance({ panel, x, y }) {
  return panel.decisions().distance(x, y) * panel.cells.extent;
}
