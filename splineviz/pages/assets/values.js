/** Outputs of the network: read, and told on each cell by three of its vertices. */

import { unzigzag } from "./bytes.js";

/** @typedef {import("./cells.js").Cells} Cells */

const WIDE = 2 ** -7;

/**
 * Three corners of a cell: the first, the one farthest from it, and the one farthest from the line through both.
 * @param {Cells} cells @param {number} cell @param {Uint8Array | null} known whether a vertex may be taken
 * @param {Int32Array} triangle found vertices
 * @returns {boolean} whether they tell other values well
 */
export function widest(cells, cell, known, triangle) {
  const { corners, first, x, y } = cells;
  const [begin, end] = [first[cell], first[cell + 1]];
  let one = -1;
  for (let side = begin; side < end; side++) {
    if (!known || known[corners[side]]) {
      one = corners[side];
      break;
    }
  }
  if (one < 0) return false;
  let longest = 0;
  let two = one;
  for (let side = begin; side < end; side++) {
    const vertex = corners[side];
    if (known && !known[vertex]) continue;
    const u = x[vertex] - x[one];
    const v = y[vertex] - y[one];
    const length = u * u + v * v;
    if (length > longest) {
      longest = length;
      two = vertex;
    }
  }
  let area2 = 0;
  let three = one;
  const u = x[two] - x[one];
  const v = y[two] - y[one];
  for (let side = begin; side < end; side++) {
    const vertex = corners[side];
    if (known && !known[vertex]) continue;
    const area = Math.abs(u * (y[vertex] - y[one]) - (x[vertex] - x[one]) * v);
    if (area > area2) {
      area2 = area;
      three = vertex;
    }
  }
  triangle[0] = one;
  triangle[1] = two;
  triangle[2] = three;
  return area2 > WIDE * longest;
}

/**
 * Values at vertices, which are kept as what they differ by from what three known ones of a cell tell; the order is
 * that of the writer, step by step.
 * @param {Cells} cells @param {import("./bytes.js").Sections} sections @returns {Float64Array[]}
 */
export function readValues(cells, sections) {
  const { n, nVertices, first, corners, x, y, steps } = cells;
  const away = steps.map((_, k) =>
    unzigzag(/** @type {Float64Array} */ (sections.varints(`value ${k}`, new Float64Array(nVertices)))),
  );
  const values = steps.map(() => new Float64Array(nVertices));
  if (!steps.length) return values;
  const [firstCell, cellsOf] = cellsOfVertices(cells);
  const known = new Uint8Array(nVertices);
  const count = new Int32Array(n);
  const stack = new Int32Array(corners.length + 1);
  const triangle = new Int32Array(3);
  let row = 0;
  for (let start = 0; start < n; start++) {
    while (count[start] < first[start + 1] - first[start]) {
      let depth = 0;
      stack[depth++] = start;
      while (depth > 0) {
        const cell = stack[--depth];
        if (count[cell] === first[cell + 1] - first[cell]) continue;
        const told = widest(cells, cell, known, triangle);
        if (!told && cell !== start) continue;
        const one = triangle[0];
        const two = triangle[1];
        const three = triangle[2];
        const au = x[two] - x[one];
        const av = y[two] - y[one];
        const bu = x[three] - x[one];
        const bv = y[three] - y[one];
        const area = au * bv - bu * av;
        for (let side = first[cell]; side < first[cell + 1]; side++) {
          const vertex = corners[side];
          if (known[vertex]) continue;
          const pu = x[vertex] - x[one];
          const pv = y[vertex] - y[one];
          const s = (pu * bv - bu * pv) / area;
          const t = (au * pv - pu * av) / area;
          for (let k = 0; k < steps.length; k++) {
            const read = values[k];
            const base = read[one];
            const guess = told ? base + (s * (read[two] - base) + t * (read[three] - base)) : 0;
            read[vertex] = guess + away[k][row] * steps[k];
          }
          known[vertex] = 1;
          row++;
          for (let place = firstCell[vertex]; place < firstCell[vertex + 1]; place++) {
            if (++count[cellsOf[place]] >= 3) stack[depth++] = cellsOf[place];
          }
          if (!told) break;
        }
      }
    }
  }
  return values;
}

/** For each vertex the place of its first cell in a list of cells, and that list. @param {Cells} cells @returns {[Int32Array, Int32Array]} */
function cellsOfVertices({ n, nVertices, first, corners }) {
  const start = new Int32Array(nVertices + 1);
  for (let side = 0; side < corners.length; side++) start[corners[side] + 1]++;
  for (let vertex = 0; vertex < nVertices; vertex++) start[vertex + 1] += start[vertex];
  const next = start.slice();
  const list = new Int32Array(corners.length);
  for (let cell = 0; cell < n; cell++) {
    for (let side = first[cell]; side < first[cell + 1]; side++) list[next[corners[side]]++] = cell;
  }
  return [start, list];
}

/** The affine maps of cells, each told by three of its vertices; one at a time is at hand. */
export class Maps {
  /** @param {Cells} cells */
  constructor(cells) {
    this.cells = cells;
    this.outputs = cells.values.length;
    this.triangle = new Int32Array(3);
    this.cell = -1;
    /** Value at the first of three vertices, and slopes along x and y, of each output. */
    this.base = new Float64Array(this.outputs);
    this.slopeX = new Float64Array(this.outputs);
    this.slopeY = new Float64Array(this.outputs);
    this.x = 0;
    this.y = 0;
  }

  /** Take the map of a cell. @param {number} cell */
  take(cell) {
    if (cell === this.cell) return this;
    this.cell = cell;
    const { cells, triangle } = this;
    widest(cells, cell, null, triangle);
    const [one, two, three] = triangle;
    [this.x, this.y] = [cells.x[one], cells.y[one]];
    const [au, av] = [cells.x[two] - this.x, cells.y[two] - this.y];
    const [bu, bv] = [cells.x[three] - this.x, cells.y[three] - this.y];
    const area = au * bv - bu * av;
    for (let k = 0; k < this.outputs; k++) {
      const read = cells.values[k];
      const [f, g] = [read[two] - read[one], read[three] - read[one]];
      this.base[k] = read[one];
      this.slopeX[k] = area ? (f * bv - g * av) / area : 0;
      this.slopeY[k] = area ? (g * au - f * bu) / area : 0;
    }
    return this;
  }

  /** Output k of the taken map at a place. @param {number} k @param {number} x @param {number} y */
  at(k, x, y) {
    return this.base[k] + this.slopeX[k] * (x - this.x) + this.slopeY[k] * (y - this.y);
  }

  /** All outputs at a place. @param {number} x @param {number} y */
  all(x, y) {
    return Array.from(this.base, (_, k) => this.at(k, x, y));
  }

  /** Which of the outputs is largest at a place, the lowest of equal ones; of one output 1 above the level, else 0.
   * @param {number} x @param {number} y @param {number} level */
  winner(x, y, level) {
    if (this.outputs === 1) return this.at(0, x, y) > level ? 1 : 0;
    let best = 0;
    let largest = -Infinity;
    for (let k = 0; k < this.outputs; k++) {
      const value = this.at(k, x, y);
      if (value > largest) {
        largest = value;
        best = k;
      }
    }
    return best;
  }

  /** Norm and volume factor √det AᵀA of the taken map on the slice, per input distance. @returns {[number, number]} */
  normAndVolume() {
    let [xx, xy, yy] = [0, 0, 0];
    for (let k = 0; k < this.outputs; k++) {
      xx += this.slopeX[k] * this.slopeX[k];
      xy += this.slopeX[k] * this.slopeY[k];
      yy += this.slopeY[k] * this.slopeY[k];
    }
    const middle = (xx + yy) / 2;
    const away = Math.hypot((xx - yy) / 2, xy);
    const largest = Math.sqrt(middle + away) / this.cells.extent;
    const volume = Math.sqrt(Math.max(0, xx * yy - xy * xy)) / this.cells.extent ** 2;
    return [largest, volume];
  }
}
