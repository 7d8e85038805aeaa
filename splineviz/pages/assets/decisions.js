/** Which output wins where: classes of cells, and the segments of the decision boundary. */

import { SegmentGrid } from "./segment_grid.js";
import { Maps } from "./values.js";

/** @typedef {import("./cells.js").Cells} Cells */

/** In `Decisions.ofCell`, of a cell in which several outputs win. */
export const MIXED = -1;

export class Decisions {
  /** @param {Cells} cells with values @param {number} level of a single output */
  constructor(cells, level) {
    this.cells = cells;
    this.level = level;
    this.maps = new Maps(cells);
    /** The output that wins on all of a cell, or MIXED. */
    this.ofCell = new Int16Array(cells.n);
    this.findClasses();
    /** For each cell the place of its first segment in `segments`, and one more. */
    this.first = new Int32Array(cells.n + 1);
    /** Four coordinates of each segment inside a cell. */
    this.segments = new Float64Array(0);
    /** Edges along which the class changes as a whole. @type {number[]} */
    this.edges = [];
    /** @type {SegmentGrid | null} */
    this.grid = null;
    this.findBoundary();
  }

  /** Of an output that is largest at each vertex; a cell on whose corners one wins is of one class. */
  findClasses() {
    const { cells, level } = this;
    const winner = new Int16Array(cells.nVertices);
    const n = cells.values.length;
    for (let vertex = 0; vertex < cells.nVertices; vertex++) {
      if (n === 1) {
        winner[vertex] = cells.values[0][vertex] > level ? 1 : 0;
        continue;
      }
      let largest = -Infinity;
      for (let k = 0; k < n; k++) {
        const value = cells.values[k][vertex];
        if (value > largest) {
          largest = value;
          winner[vertex] = k;
        }
      }
    }
    for (let cell = 0; cell < cells.n; cell++) {
      const begin = cells.first[cell];
      const one = winner[cells.corners[begin]];
      let same = true;
      for (let side = begin + 1; same && side < cells.first[cell + 1]; side++) same = winner[cells.corners[side]] === one;
      this.ofCell[cell] = same ? one : MIXED;
    }
  }

  /** Classes that have a piece of a cell, with the corners of the pieces. @param {number} cell @returns {{winner: number, piece: Corner[]}[]} */
  pieces(cell) {
    const { cells } = this;
    const whole = cornersOf(cells, cell, this.level);
    if (this.ofCell[cell] !== MIXED) return [{ winner: this.ofCell[cell], piece: whole }];
    const found = [];
    for (let k = 0; k < whole[0].values.length; k++) {
      let piece = whole;
      for (let j = 0; piece.length > 2 && j < whole[0].values.length; j++) if (j !== k) piece = clipped(piece, k, j);
      if (piece.length > 2) found.push({ winner: k, piece });
    }
    return found;
  }

  /** Outputs that win somewhere, ascending. @returns {number[]} */
  present() {
    const found = new Set(this.winners);
    return [...found].sort((a, b) => a - b);
  }

  findBoundary() {
    const { cells, ofCell } = this;
    /** @type {number[]} */
    const found = [];
    /** @type {Set<number>} */
    this.winners = new Set(ofCell);
    this.winners.delete(MIXED);
    for (let cell = 0; cell < cells.n; cell++) {
      this.first[cell] = found.length / 4;
      if (ofCell[cell] !== MIXED) continue;
      for (const { winner, piece } of this.pieces(cell)) {
        this.winners.add(winner);
        piece.forEach((corner, k) => {
          const next = piece[(k + 1) % piece.length];
          if (corner.by > winner) found.push(corner.x, corner.y, next.x, next.y);
        });
      }
    }
    this.first[cells.n] = found.length / 4;
    this.segments = Float64Array.from(found);
    for (let edge = 0; edge < cells.nEdges; edge++) {
      const [a, b] = [cells.edgeCells[2 * edge], cells.edgeCells[2 * edge + 1]];
      if (b >= 0 && ofCell[a] !== MIXED && ofCell[b] !== MIXED && ofCell[a] !== ofCell[b]) this.edges.push(edge);
    }
  }

  /** Distance of a place to the boundary, in places; Infinity without one. @param {number} x @param {number} y */
  distance(x, y) {
    this.grid ??= new SegmentGrid(this.whole());
    return this.grid.distance(x, y);
  }

  /** All segments of the boundary, inside cells and along edges. */
  whole() {
    const { cells, segments, edges } = this;
    const all = new Float64Array(segments.length + 4 * edges.length);
    all.set(segments);
    edges.forEach((edge, k) => {
      const [a, b] = [cells.edgeFrom[edge], cells.edgeTo[edge]];
      all.set([cells.x[a], cells.y[a], cells.x[b], cells.y[b]], segments.length + 4 * k);
    });
    return all;
  }
}

/**
 * @typedef {{x: number, y: number, values: number[], by: number, edge: number}} Corner
 * with the outputs there; of the side that begins here which output cut it off, -1 for a side of the cell, and the
 * edge that it lies on, -1 for none
 */

/** Corners of a cell; of a single output the level counts as the output before it. @param {Cells} cells @param {number} cell
 * @param {number} level @returns {Corner[]} */
export function cornersOf(cells, cell, level) {
  const found = [];
  for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
    const vertex = cells.corners[side];
    const values = cells.values.map((read) => read[vertex]);
    if (values.length === 1) values.unshift(level);
    found.push({ x: cells.x[vertex], y: cells.y[vertex], values, by: -1, edge: cells.sideEdge[side] });
  }
  return found;
}

/** The part of a convex polygon in which output k is at least output j. @param {Corner[]} piece @param {number} k @param {number} j @returns {Corner[]} */
export function clipped(piece, k, j) {
  const margin = piece.map(({ values }) => values[k] - values[j]);
  // where both are equal on a whole side, the lower one wins, and the higher one has no piece of no width
  const inside = (/** @type {number} */ m) => (k < j ? m >= 0 : m > 0);
  const found = [];
  for (let i = 0; i < piece.length; i++) {
    const next = (i + 1) % piece.length;
    const [here, there] = [inside(margin[i]), inside(margin[next])];
    if (here) found.push(piece[i]);
    if (here === there) continue;
    const t = margin[i] / (margin[i] - margin[next]);
    const [a, b] = [piece[i], piece[next]];
    const values = a.values.map((value, o) => value + t * (b.values[o] - value));
    values[k] = values[j] = Math.max(values[k], values[j]);
    const cut = here ? { by: j, edge: -1 } : { by: a.by, edge: a.edge };
    found.push({ x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y), values, ...cut });
  }
  return found;
}
