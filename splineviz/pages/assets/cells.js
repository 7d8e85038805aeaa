/** The cells of one panel: what the page holds, and what follows from it. Places are numbers from 0 to 1 in the
 * square round the window; uv = corner + extent * place. */

import { Sections, unzigzag } from "./bytes.js";
import { readValues } from "./values.js";

/**
 * @typedef {{cells: number, vertices: number, edges: number, corner: [number, number], extent: number,
 *   steps: number[], on: number[][], sections: [string, number][]}} CellsCard
 */

const STEP = 2 ** -50;

export class Cells {
  /** @param {Uint8Array} bytes inflated @param {CellsCard} card */
  constructor(bytes, card) {
    const sections = new Sections(bytes, card.sections);
    this.n = card.cells;
    this.nVertices = card.vertices;
    this.nEdges = card.edges;
    this.extent = card.extent;
    this.corner = card.corner;
    this.on = card.on;
    /** Place of each cell's first corner in `corners`, and one more. */
    this.first = new Int32Array(this.n + 1);
    const lengths = sections.varints("lengths", new Int32Array(this.n));
    for (let cell = 0; cell < this.n; cell++) this.first[cell + 1] = this.first[cell] + lengths[cell];
    /** Vertices of the cells, counter-clockwise. */
    this.corners = corners(sections, this.first[this.n]);
    this.x = places(sections, "u", this.nVertices);
    this.y = places(sections, "v", this.nVertices);
    /** Stage that separated each cell last, -1 for none. */
    this.stage = sections.varints("stage", new Int32Array(this.n));
    for (let cell = 0; cell < this.n; cell++) this.stage[cell] -= 1;
    /** First 32 bits of the hash of the activation pattern. */
    this.hash = /** @type {Uint32Array} */ (sections.planes("hash", new Uint32Array(this.n)));
    /** All reds, all greens, all blues of the colours of the patterns. */
    this.rgb = sections.bytes("color");
    /** Edge of each side, aligned with `corners`: from this corner to the next. */
    this.sideEdge = new Int32Array(this.corners.length);
    /** Two cells of each edge, the second -1 on the rim; the first has the edge from `edgeFrom` to `edgeTo`. */
    this.edgeCells = new Int32Array(2 * this.nEdges).fill(-1);
    this.edgeFrom = new Int32Array(this.nEdges);
    this.edgeTo = new Int32Array(this.nEdges);
    this.findEdges();
    /** Place of each edge's first unit in `edgeUnits`, and one more. */
    this.firstUnit = new Int32Array(this.nEdges + 1);
    const counts = sections.varints("edge_counts", new Int32Array(this.nEdges));
    for (let edge = 0; edge < this.nEdges; edge++) this.firstUnit[edge + 1] = this.firstUnit[edge] + counts[edge];
    /** Twice the number of a unit among all of the network, plus 1 where it is on in the edge's first cell. */
    this.edgeUnits = /** @type {Uint32Array} */ (
      sections.planes("edge_units", new Uint32Array(this.firstUnit[this.nEdges]))
    );
    /** Whether the function bends at each edge; null where that is not known. */
    this.bends = sections.has("bends") ? sections.bytes("bends") : null;
    this.doubtful = sections.words("doubtful");
    /** Areas of cells too thin for the places of their vertices. @type {Map<number, number>} */
    this.thinAreas = new Map();
    const areas = sections.doubles("thin_areas");
    sections.words("thin_cells").forEach((cell, k) => this.thinAreas.set(cell, areas[k]));
    this.steps = card.steps;
    /** Values of each output at the vertices; none where the page does not have them. */
    this.values = readValues(this, sections);
    /** Quantities of cells, and of edges, that cannot be worked out from what else is here. */
    this.given = Object.fromEntries(
      ["norm", "volume", "jacobian", "jump"]
        .filter((name) => sections.has(name))
        .map((name) => [name, sections.floats(name, name === "jump" ? this.nEdges : this.n)]),
    );
  }

  /** Number the sides' edges in the order in which they first appear; both sides of an edge have the same ends. */
  findEdges() {
    const { corners, first, x } = this;
    const n = corners.length;
    const next = new Int32Array(n);
    for (let cell = 0; cell < this.n; cell++) {
      for (let side = first[cell]; side < first[cell + 1]; side++) next[side] = side + 1;
      if (first[cell + 1] > first[cell]) next[first[cell + 1] - 1] = first[cell];
    }
    // chains of edges by their lower vertex
    const head = new Int32Array(x.length).fill(-1);
    const chain = new Int32Array(this.nEdges).fill(-1);
    let found = 0;
    for (let cell = 0; cell < this.n; cell++) {
      for (let side = first[cell]; side < first[cell + 1]; side++) {
        const from = corners[side];
        const to = corners[next[side]];
        const low = Math.min(from, to);
        let edge = head[low];
        while (edge >= 0 && this.edgeFrom[edge] + this.edgeTo[edge] !== from + to) edge = chain[edge];
        if (edge < 0) {
          edge = found++;
          chain[edge] = head[low];
          head[low] = edge;
          this.edgeFrom[edge] = from;
          this.edgeTo[edge] = to;
          this.edgeCells[2 * edge] = cell;
        } else {
          this.edgeCells[2 * edge + 1] = cell;
        }
        this.sideEdge[side] = edge;
      }
    }
  }

  /** Area in squared input distance. @param {number} cell */
  area(cell) {
    const thin = this.thinAreas.get(cell);
    if (thin !== undefined) return thin;
    const { corners, first, x, y } = this;
    const a = corners[first[cell]];
    let twice = 0;
    for (let side = first[cell] + 1; side + 1 < first[cell + 1]; side++) {
      const b = corners[side];
      const c = corners[side + 1];
      twice += (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a]);
    }
    return (twice / 2) * this.extent * this.extent;
  }

  /** Whether a place lies in the closed cell. @param {number} cell @param {number} px @param {number} py */
  contains(cell, px, py) {
    const { corners, first, x, y } = this;
    const end = first[cell + 1];
    let a = corners[end - 1];
    for (let side = first[cell]; side < end; side++) {
      const b = corners[side];
      if ((x[b] - x[a]) * (py - y[a]) - (px - x[a]) * (y[b] - y[a]) < 0) return false;
      a = b;
    }
    return end > first[cell];
  }

  /** Squared distance of a place from an edge. @param {number} edge @param {number} px @param {number} py */
  edgeDistance2(edge, px, py) {
    const { x, y } = this;
    const a = this.edgeFrom[edge];
    const b = this.edgeTo[edge];
    return segmentDistance2(px, py, x[a], y[a], x[b], y[b]);
  }

  /** Earliest stage of the units of an edge, -1 on the rim. @param {number} edge @param {number[]} firstOfStage */
  edgeStage(edge, firstOfStage) {
    if (this.firstUnit[edge] === this.firstUnit[edge + 1]) return -1;
    const unit = this.edgeUnits[this.firstUnit[edge]] >>> 1;
    let stage = 0;
    while (firstOfStage[stage + 1] <= unit) stage++;
    return stage;
  }

  /** Mean of the corners. @param {number} cell @returns {[number, number]} */
  middle(cell) {
    let x = 0;
    let y = 0;
    const count = this.first[cell + 1] - this.first[cell];
    for (let side = this.first[cell]; side < this.first[cell + 1]; side++) {
      x += this.x[this.corners[side]];
      y += this.y[this.corners[side]];
    }
    return [x / count, y / count];
  }

  /** Least and largest coordinates: x0, x1, y0, y1. @param {number} cell @returns {[number, number, number, number]} */
  box(cell) {
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let side = this.first[cell]; side < this.first[cell + 1]; side++) {
      const x = this.x[this.corners[side]];
      const y = this.y[this.corners[side]];
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    }
    return [x0, x1, y0, y1];
  }

  /** uv of a place. @param {number} x @param {number} y @returns {[number, number]} */
  uv(x, y) {
    return [this.corner[0] + this.extent * x, this.corner[1] + this.extent * y];
  }
}

/** @param {number} px @param {number} py @param {number} ax @param {number} ay @param {number} bx @param {number} by */
export function segmentDistance2(px, py, ax, ay, bx, by) {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy;
  const t = length2 > 0 ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length2)) : 0;
  const [ex, ey] = [px - ax - t * dx, py - ay - t * dy];
  return ex * ex + ey * ey;
}

/** Vertices, numbered by appearance: 0 stands for a new one, k for the k-th last. @param {Sections} sections @param {number} n */
function corners(sections, n) {
  const found = /** @type {Int32Array} */ (sections.varints("corners", new Int32Array(n)));
  let newest = -1;
  for (let side = 0; side < n; side++) found[side] = found[side] === 0 ? ++newest : newest - found[side] + 1;
  return found;
}

/** @param {Sections} sections @param {string} name @param {number} n */
function places(sections, name, n) {
  const found = unzigzag(/** @type {Float64Array} */ (sections.planes(name, new Float64Array(n))));
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += found[k];
    found[k] = sum * STEP;
  }
  return found;
}
