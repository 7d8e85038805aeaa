/** Stages: which units make an edge, the cells as they are after each stage, and units that are on. */

/** @typedef {import("./cells.js").Cells} Cells */
/** @typedef {{name: string, kind: string, units: number, shape: number[], breakpoints: number, maxima: boolean}} Stage */
/** @typedef {{name: string, stages: Stage[], outputs: {index: number, name: string}[], n_outputs: number}} Network */

export class Stages {
  /** @param {Cells} cells @param {Network} network */
  constructor(cells, network) {
    this.cells = cells;
    this.stages = network.stages;
    /** Number of each stage's first unit among all, and one more. */
    this.firstUnit = [0];
    for (const stage of network.stages) this.firstUnit.push(this.firstUnit[this.firstUnit.length - 1] + stage.units);
    /** Earliest stage of each edge, -1 on the rim. */
    this.ofEdge = new Int16Array(cells.nEdges);
    for (let edge = 0; edge < cells.nEdges; edge++) this.ofEdge[edge] = cells.edgeStage(edge, this.firstUnit);
    /** @type {Map<number, Int32Array>} */
    this.labels = new Map();
    /** @type {{parent: Int32Array, part: Int32Array} | null} */
    this.tree = null;
    /** @type {Int32Array | null} */
    this.linear = null;
  }

  /** Number of the last stage. */
  get last() {
    return this.stages.length - 1;
  }

  /** Number and name of a stage; a bare number, as in a flat Sequential, gets its operation before it. @param {number} stage */
  label(stage) {
    const { name, kind } = this.stages[stage];
    return `${stage}: ${/^\d+$/.test(name) ? `${kind} ${name}` : name}`;
  }

  /** Stage of a unit by its number among all, and its number within the stage. @param {number} unit @returns {[number, number]} */
  place(unit) {
    let stage = 0;
    while (this.firstUnit[stage + 1] <= unit) stage++;
    return [stage, unit - this.firstUnit[stage]];
  }

  /** Name of a unit: the stage's, and its index in the stage's shape. @param {number} unit */
  unitName(unit) {
    const [stage, within] = this.place(unit);
    const { name, shape, breakpoints } = this.stages[stage];
    const entries = shape.reduce((product, size) => product * size, 1);
    let rest = within % entries;
    const index = [];
    for (const size of [...shape].reverse()) {
      index.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    const kink = breakpoints > 1 ? `, breakpoint ${Math.floor(within / entries)}` : "";
    return `${name}[${index.join(", ")}]${kink}`;
  }

  /** Units of an edge, by their numbers among all. @param {number} edge @returns {number[]} */
  unitsOf(edge) {
    const { firstUnit, edgeUnits } = this.cells;
    return Array.from(edgeUnits.subarray(firstUnit[edge], firstUnit[edge + 1]), (code) => code >>> 1);
  }

  /** For each cell the lowest cell of its part after a stage: cells joined across edges of later stages. The last
   * stage's are the cells themselves. @param {number} stage @returns {Int32Array} */
  labelsAt(stage) {
    const found = this.labels.get(stage);
    if (found) return found;
    const { cells } = this;
    const labels = stage >= this.last ? Int32Array.from({ length: cells.n }, (_, k) => k) : this.flood(stage);
    if (this.labels.size > 3) this.labels.delete(/** @type {number} */ (this.labels.keys().next().value));
    this.labels.set(stage, labels);
    return labels;
  }

  /** @param {number} stage */
  flood(stage) {
    return joined(this.cells, (edge) => this.ofEdge[edge] > stage);
  }

  /** For each cell the lowest cell of its linear region; null where edges do not say whether the function bends. */
  regions() {
    const { bends } = this.cells;
    if (bends && !this.linear) this.linear = joined(this.cells, (edge) => !bends[edge]);
    return this.linear;
  }

  /** From the window down to a cell: after each stage the number of cells in the part that holds it, and its area.
   * @param {number} cell @returns {{stage: number, cells: number, area: number}[]} */
  chain(cell) {
    const found = [];
    for (let stage = 0; stage <= this.last; stage++) {
      const part = partOf(this.cells, cell, (edge) => this.ofEdge[edge] > stage);
      found.push({ stage, cells: part.length, area: part.reduce((sum, one) => sum + this.cells.area(one), 0) });
    }
    return found;
  }

  /** Number of units of each stage that are on in a cell; null for a stage of maxima, or where that is not known.
   * @param {number} cell @returns {(number | null)[]} */
  unitsOn(cell) {
    this.tree ??= spanningTree(this.cells);
    const { parent, part } = this.tree;
    const { cells } = this;
    const base = cells.on[part[cell]];
    if (!base) return this.stages.map(() => null);
    const on = base.slice();
    for (let at = cell; parent[at] >= 0; ) {
      const edge = parent[at];
      const here = cells.edgeCells[2 * edge] === at ? 0 : 1;
      for (let k = cells.firstUnit[edge]; k < cells.firstUnit[edge + 1]; k++) {
        const code = cells.edgeUnits[k];
        const [stage] = this.place(code >>> 1);
        // on in the first cell, off in the second, or the reverse
        if (!this.stages[stage].maxima) on[stage] += (code & 1) === 1 - here ? 1 : -1;
      }
      at = cells.edgeCells[2 * edge + 1 - here];
    }
    return on.map((count, stage) => (this.stages[stage].maxima ? null : count));
  }
}

/** For each cell the lowest one that it is joined with across edges. @param {Cells} cells @param {(edge: number) => boolean} joins */
function joined(cells, joins) {
  const labels = new Int32Array(cells.n).fill(-1);
  const stack = new Int32Array(cells.n);
  for (let start = 0; start < cells.n; start++) {
    if (labels[start] >= 0) continue;
    let depth = 0;
    labels[start] = start;
    stack[depth++] = start;
    while (depth > 0) {
      const cell = stack[--depth];
      for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
        const edge = cells.sideEdge[side];
        if (!joins(edge)) continue;
        const other = cells.edgeCells[2 * edge] === cell ? cells.edgeCells[2 * edge + 1] : cells.edgeCells[2 * edge];
        if (other >= 0 && labels[other] < 0) {
          labels[other] = start;
          stack[depth++] = other;
        }
      }
    }
  }
  return labels;
}

/** Cells that one is joined with across edges. @param {Cells} cells @param {number} start @param {(edge: number) => boolean} joins */
function partOf(cells, start, joins) {
  const seen = new Set([start]);
  for (const cell of seen) {
    for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
      const edge = cells.sideEdge[side];
      if (!joins(edge)) continue;
      const other = cells.edgeCells[2 * edge] === cell ? cells.edgeCells[2 * edge + 1] : cells.edgeCells[2 * edge];
      if (other >= 0) seen.add(other);
    }
  }
  return [...seen];
}

/** For each cell the edge towards the first cell of its connected part, -1 at that, and the number of the part.
 * @param {Cells} cells */
function spanningTree(cells) {
  const parent = new Int32Array(cells.n).fill(-1);
  const part = new Int32Array(cells.n).fill(-1);
  const queue = new Int32Array(cells.n);
  let parts = 0;
  for (let start = 0; start < cells.n; start++) {
    if (part[start] >= 0) continue;
    let [head, tail] = [0, 0];
    part[start] = parts;
    queue[tail++] = start;
    while (head < tail) {
      const cell = queue[head++];
      for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
        const edge = cells.sideEdge[side];
        const other = cells.edgeCells[2 * edge] === cell ? cells.edgeCells[2 * edge + 1] : cells.edgeCells[2 * edge];
        if (other >= 0 && part[other] < 0) {
          part[other] = parts;
          parent[other] = edge;
          queue[tail++] = other;
        }
      }
    }
    parts++;
  }
  return { parent, part };
}
