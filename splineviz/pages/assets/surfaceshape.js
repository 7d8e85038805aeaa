/** The graph of a function over the slice as plane facets: one for each cell, or for each piece of a cell on which the
 * function bends because another output takes over. */

import { clipped, cornersOf } from "./decisions.js";

/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {import("./decisions.js").Corner} Corner */
/** @typedef {[number, number, number, number]} PlaceBox x0, x1, y0, y1 */

/** What a height is: one output, a margin (of the winner, or of one output over its best rival), or the largest output.
 * @typedef {{kind: "one" | "margin" | "largest", of: number}} Height `of` -1 for the winner */

/** Read "3", "margin", "margin-3" or "largest"; numbers count the outputs on the page, and become those of `compared`.
 * @param {Panel} panel @param {string} output @returns {Height} */
function readHeight(panel, output) {
  const before = panel.cells.values.length > 1 ? 0 : 1;
  if (output === "largest") return { kind: "largest", of: -1 };
  if (output === "margin") return { kind: "margin", of: -1 };
  if (output.startsWith("margin-")) return { kind: "margin", of: before + Number(output.slice(7)) };
  return { kind: "one", of: before + Number(output) };
}

/** Name of a height for people. @param {Panel} panel @param {string} output */
export function heightName(panel, output) {
  const { kind, of } = readHeight(panel, output);
  const before = panel.cells.values.length > 1 ? 0 : 1;
  const name = (/** @type {number} */ k) => panel.network.outputs[k - before]?.name ?? String(k - before);
  if (kind === "largest") return "largest output";
  if (kind === "one") return panel.network.n_outputs === 1 ? "output" : `output ${name(of)}`;
  return of < 0 ? "largest minus second" : `output ${name(of)} minus best other`;
}

/** Outputs at vertices as `Decisions` compares them: of a single one the level is the other. @param {Panel} panel
 * @returns {Float64Array[]} */
function compared(panel) {
  const { values, nVertices } = panel.cells;
  if (values.length > 1) return values;
  return panel.once("compared", () => [new Float64Array(nVertices).fill(panel.scene.level), values[0]]);
}

/** Number of the largest value but one that is left out, the lowest of equal ones.
 * @param {number} n @param {(k: number) => number} value @param {number} but */
function largestBut(n, value, but) {
  let best = -1;
  for (let k = 0; k < n; k++) if (k !== but && (best < 0 || value(k) > value(best))) best = k;
  return best;
}

/** At each vertex the output that is largest, and the one that is largest of those but `of`, or but the winner.
 * @param {Panel} panel @param {number} of @returns {{top: Int16Array, next: Int16Array}} */
function ranks(panel, of) {
  return panel.once(`ranks ${of}`, () => {
    const outputs = compared(panel);
    const top = new Int16Array(panel.cells.nVertices);
    const next = new Int16Array(top.length);
    for (let vertex = 0; vertex < top.length; vertex++) {
      const value = (/** @type {number} */ k) => outputs[k][vertex];
      top[vertex] = largestBut(outputs.length, value, -1);
      next[vertex] = largestBut(outputs.length, value, of < 0 ? top[vertex] : of);
    }
    return { top, next };
  });
}

/** Heights at the vertices of a panel. @param {Panel} panel @param {string} output @returns {Float64Array} */
export function heights(panel, output) {
  const { kind, of } = readHeight(panel, output);
  if (kind === "one") return compared(panel)[of];
  return panel.once(`heights ${output}`, () => {
    const outputs = compared(panel);
    const { top, next } = ranks(panel, of);
    return Float64Array.from(top, (winner, vertex) => {
      if (kind === "largest") return outputs[winner][vertex];
      return outputs[of < 0 ? winner : of][vertex] - outputs[next[vertex]][vertex];
    });
  });
}

/** The height as a function of the outputs at a place. @param {Panel} panel @param {string} output
 * @returns {(values: number[]) => number} */
export function heightOf(panel, output) {
  const { kind, of } = readHeight(panel, output);
  if (kind === "one") return (values) => values[of];
  if (kind === "largest") return (values) => Math.max(...values);
  return (values) => {
    const winner = of < 0 ? largestBut(values.length, (k) => values[k], -1) : of;
    return values[winner] - values[largestBut(values.length, (k) => values[k], winner)];
  };
}

/** Least and largest height. @param {Panel} panel @param {string} output @returns {[number, number]} */
export function rangeOf(panel, output) {
  return panel.once(`range ${output}`, () => {
    let [low, high] = [Infinity, -Infinity];
    for (const height of heights(panel, output)) {
      if (height < low) low = height;
      if (height > high) high = height;
    }
    return [low, high];
  });
}

/** Numbers in a row that grows. @template {Int32Array | Float64Array} T */
export class Row {
  /** @param {T} numbers */
  constructor(numbers) {
    this.numbers = numbers;
    this.n = 0;
  }

  /** @param {number} number */
  push(number) {
    if (this.n === this.numbers.length) {
      const more = /** @type {T} */ (new /** @type {any} */ (this.numbers.constructor)(2 * this.n + 16));
      more.set(this.numbers);
      this.numbers = more;
    }
    this.numbers[this.n++] = number;
  }

  /** @returns {T} */
  done() {
    return /** @type {T} */ (this.numbers.subarray(0, this.n));
  }
}

/** Facets of a panel: the corners of facet f are those from `first[f]` to `first[f + 1]`. */
export class Facets {
  /** @param {Panel} panel @param {string} output
   * @param {{byClass: boolean, tones: number}} split by class, too; and outputs to keep at
   * the corners, as what colours follow @param {PlaceBox | null} box facets are cut off at its sides */
  constructor(panel, output, { byClass, tones }, box) {
    const { cells } = panel;
    this.panel = panel;
    this.output = output;
    this.box = box;
    const room = box ? 1024 : cells.corners.length;
    this.rows = {
      first: new Row(new Int32Array(box ? 256 : cells.n + 1)),
      cell: new Row(new Int32Array(box ? 256 : cells.n)),
      winner: new Row(new Int32Array(box ? 256 : cells.n)),
      x: new Row(new Float64Array(room)),
      y: new Row(new Float64Array(room)),
      h: new Row(new Float64Array(room)),
      edge: new Row(new Int32Array(room)),
    };
    this.toneRows = Array.from({ length: tones }, () => new Row(new Float64Array(room)));
    /** Cell's first facet, -1 where it has none. */
    this.ofCell = new Int32Array(cells.n).fill(-1);
    this.build(byClass);
    const { first, cell, winner, x, y, h, edge } = this.rows;
    first.push(x.n);
    this.n = cell.n;
    this.first = first.done();
    this.cell = cell.done();
    /** Output that wins on a facet of a cell that was split, -1 on others. */
    this.winner = winner.done();
    this.x = x.done();
    this.y = y.done();
    this.h = h.done();
    /** Corner at the end of each side. */
    this.after = Int32Array.from(this.x, (_, side) => side + 1);
    for (let f = 0; f < this.n; f++) this.after[this.first[f + 1] - 1] = this.first[f];
    /** Edge that each side lies on, from this corner to the next; -1 for none. */
    this.edge = edge.done();
    this.tones = this.toneRows.map((row) => row.done());
  }

  /** @param {boolean} byClass */
  build(byClass) {
    const { panel, box, output } = this;
    const { cells } = panel;
    const height = heights(panel, output);
    const of = heightOf(panel, output);
    const key = keys(panel, output, byClass);
    const list = box ? panel.grid.within(box) : panel.grid.all;
    for (let at = 0; at < list.length; at++) {
      const cell = list[at];
      const [begin, end] = [cells.first[cell], cells.first[cell + 1]];
      let bent = false;
      if (key) {
        for (let side = begin + 1; side < end; side++) bent ||= key[cells.corners[side]] !== key[cells.corners[begin]];
      }
      if (!bent && (!box || holds(box, cells.box(cell)))) {
        this.begin(cell, -1);
        for (let side = begin; side < end; side++) {
          const vertex = cells.corners[side];
          this.add(cells.x[vertex], cells.y[vertex], height[vertex], cells.sideEdge[side]);
          this.toneRows.forEach((row, k) => row.push(cells.values[k][vertex]));
        }
        continue;
      }
      const whole = cornersOf(cells, cell, panel.scene.level);
      const seen = box ? cutTo(box, whole) : whole;
      const own = cells.values.length > 1 ? 0 : 1;
      for (const { winner, piece } of bent ? planes(panel, seen, output, byClass) : [{ winner: -1, piece: seen }]) {
        if (piece.length < 3) continue;
        this.begin(cell, winner);
        for (const { x, y, values, edge } of piece) {
          this.add(x, y, of(values), edge);
          this.toneRows.forEach((row, k) => row.push(values[own + k]));
        }
      }
    }
  }

  /** @param {number} cell @param {number} winner */
  begin(cell, winner) {
    if (this.ofCell[cell] < 0) this.ofCell[cell] = this.rows.cell.n;
    this.rows.first.push(this.rows.x.n);
    this.rows.cell.push(cell);
    this.rows.winner.push(winner);
  }

  /** @param {number} x @param {number} y @param {number} h @param {number} edge */
  add(x, y, h, edge) {
    this.rows.x.push(x);
    this.rows.y.push(y);
    this.rows.h.push(h);
    this.rows.edge.push(edge);
  }
}

/** Numbers of vertices that are equal on all corners of a cell only if one plane stands over it; null where always.
 * @param {Panel} panel @param {string} output @param {boolean} byClass @returns {Int32Array | null} */
function keys(panel, output, byClass) {
  const { kind, of } = readHeight(panel, output);
  if (kind === "one" && !byClass) return null;
  return panel.once(`keys ${output} ${byClass}`, () => {
    const { top, next } = ranks(panel, of);
    const n = compared(panel).length;
    const byTop = byClass || kind === "largest" || of < 0;
    return Int32Array.from(top, (winner, vertex) => (byTop ? winner * n : 0) + (kind === "margin" ? next[vertex] : 0));
  });
}

/** Pieces of a piece of a cell over each of which stands one plane. @param {Panel} panel @param {Corner[]} piece
 * @param {string} output
 * @param {boolean} byClass @returns {{winner: number, piece: Corner[]}[]} */
function planes(panel, piece, output, byClass) {
  const { kind, of } = readHeight(panel, output);
  const whole = [{ winner: -1, piece }];
  const classes = byClass || kind === "largest" || of < 0 ? whole.flatMap((one) => parts(one.piece, -1)) : whole;
  if (kind !== "margin") return classes;
  return classes.flatMap(({ winner, piece: part }) =>
    parts(part, of < 0 ? winner : of).map((one) => ({ winner, piece: one.piece })),
  );
}

/** Parts of a convex piece on each of which one output is largest of all but one. @param {Corner[]} piece
 * @param {number} but
 * @returns {{winner: number, piece: Corner[]}[]} */
function parts(piece, but) {
  const found = [];
  const n = piece[0]?.values.length ?? 0;
  for (let k = 0; k < n; k++) {
    let part = piece;
    for (let j = 0; part.length > 2 && j < n; j++) if (j !== k && j !== but && k !== but) part = clipped(part, k, j);
    if (part.length > 2 && k !== but) found.push({ winner: k, piece: part });
  }
  return found;
}

/** @param {PlaceBox} box @param {PlaceBox} inner */
function holds([x0, x1, y0, y1], inner) {
  return inner[0] >= x0 && inner[1] <= x1 && inner[2] >= y0 && inner[3] <= y1;
}

/** The part of a convex piece inside a box. @param {PlaceBox} box @param {Corner[]} piece */
function cutTo([x0, x1, y0, y1], piece) {
  let part = cutAt(piece, "x", x0, 1);
  part = cutAt(part, "x", x1, -1);
  part = cutAt(part, "y", y0, 1);
  return cutAt(part, "y", y1, -1);
}

/** The part of a convex piece on one side of a line. @param {Corner[]} piece @param {"x" | "y"} axis
 * @param {number} bound @param {number} sign
 * @returns {Corner[]} */
function cutAt(piece, axis, bound, sign) {
  const found = [];
  for (let i = 0; i < piece.length; i++) {
    const [a, b] = [piece[i], piece[(i + 1) % piece.length]];
    const [here, there] = [sign * (a[axis] - bound), sign * (b[axis] - bound)];
    if (here >= 0) found.push(a);
    if (here >= 0 === there >= 0) continue;
    const t = here / (here - there);
    const values = a.values.map((value, k) => value + t * (b.values[k] - value));
    const at = { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y), [axis]: bound };
    found.push(/** @type {Corner} */ ({ ...at, values, by: -1, edge: here >= 0 ? -1 : a.edge }));
  }
  return found;
}
