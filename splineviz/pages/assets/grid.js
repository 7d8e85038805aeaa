/** Which cells may meet a rectangle: a grid of buckets over the square of places. */

/** @typedef {import("./cells.js").Cells} Cells */

export class Grid {
  /** @param {Cells} cells */
  constructor(cells) {
    this.cells = cells;
    /** Buckets along each side. */
    this.side = Math.max(1, Math.min(2048, Math.ceil(Math.sqrt(cells.n))));
    const n = this.side * this.side;
    const start = new Int32Array(n + 1);
    const ranges = new Int32Array(4 * cells.n);
    for (let cell = 0; cell < cells.n; cell++) {
      const range = this.range(cells.box(cell));
      ranges.set(range, 4 * cell);
      for (let j = range[2]; j <= range[3]; j++) {
        for (let i = range[0]; i <= range[1]; i++) start[j * this.side + i + 1]++;
      }
    }
    for (let bucket = 0; bucket < n; bucket++) start[bucket + 1] += start[bucket];
    const next = start.slice();
    this.start = start;
    this.list = new Int32Array(start[n]);
    for (let cell = 0; cell < cells.n; cell++) {
      for (let j = ranges[4 * cell + 2]; j <= ranges[4 * cell + 3]; j++) {
        for (let i = ranges[4 * cell]; i <= ranges[4 * cell + 1]; i++) {
          this.list[next[j * this.side + i]++] = cell;
        }
      }
    }
    this.seen = new Int32Array(cells.n);
    this.round = 0;
    this.all = Int32Array.from({ length: cells.n }, (_, cell) => cell);
  }

  /** First and last bucket along x, and along y, of a rectangle x0, x1, y0, y1. @param {[number, number, number, number]} box */
  range([x0, x1, y0, y1]) {
    const last = this.side - 1;
    return [x0, x1, y0, y1].map((place) => Math.max(0, Math.min(last, Math.floor(place * this.side))));
  }

  /** Cells whose boxes may meet a rectangle, ascending if they are all. @param {[number, number, number, number]} box @returns {Int32Array} */
  within(box) {
    const [i0, i1, j0, j1] = this.range(box);
    if ((i1 - i0 + 1) * (j1 - j0 + 1) > 0.5 * this.side * this.side) return this.all;
    this.round++;
    let count = 0;
    let found = new Int32Array(1024);
    for (let j = j0; j <= j1; j++) {
      for (let i = i0; i <= i1; i++) {
        const bucket = j * this.side + i;
        for (let place = this.start[bucket]; place < this.start[bucket + 1]; place++) {
          const cell = this.list[place];
          if (this.seen[cell] === this.round) continue;
          this.seen[cell] = this.round;
          if (count === found.length) {
            const more = new Int32Array(2 * count);
            more.set(found);
            found = more;
          }
          found[count++] = cell;
        }
      }
    }
    return found.subarray(0, count);
  }

  /** The lowest cell that holds a place, -1 outside. @param {number} x @param {number} y */
  locate(x, y) {
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) return -1;
    const [i, , j] = this.range([x, x, y, y]);
    const bucket = j * this.side + i;
    let best = -1;
    for (let place = this.start[bucket]; place < this.start[bucket + 1]; place++) {
      const cell = this.list[place];
      if ((best < 0 || cell < best) && this.cells.contains(cell, x, y)) best = cell;
    }
    return best;
  }

  /** The edge nearest to a place among those of cells near it, and its distance in places; -1 if there is none.
   * Rings of buckets are looked at until none farther out can be nearer.
   * @param {number} x @param {number} y @param {(edge: number) => boolean} counts @returns {[number, number]} */
  nearestEdge(x, y, counts) {
    const { cells } = this;
    let best = -1;
    const away2 = nearestByRings(this.side, x, y, (bucket, before2) => {
      let best2 = before2;
      for (let place = this.start[bucket]; place < this.start[bucket + 1]; place++) {
        const cell = this.list[place];
        for (let k = cells.first[cell]; k < cells.first[cell + 1]; k++) {
          const edge = cells.sideEdge[k];
          if (!counts(edge)) continue;
          const found2 = cells.edgeDistance2(edge, x, y);
          if (found2 < best2) {
            best2 = found2;
            best = edge;
          }
        }
      }
      return best2;
    });
    return [best, Math.sqrt(away2)];
  }
}

/**
 * Least squared distance from a place to what lies in buckets, ring by ring round its own, until none farther out can
 * hold anything nearer. @param {number} side buckets along each side of the square @param {number} x @param {number} y
 * @param {(bucket: number, before2: number) => number} within the lesser of a squared distance and the least in a bucket
 */
export function nearestByRings(side, x, y, within) {
  const [i, j] = [x, y].map((place) => Math.max(0, Math.min(side - 1, Math.floor(place * side))));
  let best2 = Infinity;
  for (let ring = 0; ring < side; ring++) {
    for (let row = Math.max(0, j - ring); row <= Math.min(side - 1, j + ring); row++) {
      const step = ring === 0 || row === j - ring || row === j + ring ? 1 : 2 * ring;
      for (let column = i - ring; column <= i + ring; column += step) {
        if (column >= 0 && column < side) best2 = within(row * side + column, best2);
      }
    }
    const clear = Math.min(x * side - (i - ring), i + ring + 1 - x * side, y * side - (j - ring), j + ring + 1 - y * side);
    if (best2 <= (clear / side) ** 2) break;
  }
  return best2;
}
