/** Cells and lines as pixels: every pixel is of the cell that holds its middle, and lines are blended over that. The
 * same numbers in every browser, and no seams between neighbours. */

/** @typedef {import("./cells.js").Cells} Cells */
/** @typedef {[number, number, number, number]} Box first column, column after the last, first row, row after the last */

export const NOTHING = -1;

/** The pixels of a view: which cell each is of, and its colour. */
export class Raster {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.cell = new Int32Array(width * height).fill(NOTHING);
    this.image = new ImageData(width, height);
    this.bytes = this.image.data;
    this.words = new Uint32Array(this.bytes.buffer);
  }

  /** @returns {Box} */
  get whole() {
    return [0, this.width, 0, this.height];
  }

  /** Move everything by whole pixels; what is uncovered is left to be drawn: its boxes are returned.
   * @param {number} dx @param {number} dy @returns {Box[]} */
  shift(dx, dy) {
    const { width, height } = this;
    if (Math.abs(dx) >= width || Math.abs(dy) >= height) return [this.whole];
    const by = dy * width + dx;
    const [from, to] = by >= 0 ? [0, by] : [-by, 0];
    for (const pixels of [this.cell, this.words]) pixels.copyWithin(to, from, pixels.length - to);
    /** @type {Box[]} */
    const boxes = [];
    if (dy > 0) boxes.push([0, width, 0, dy]);
    if (dy < 0) boxes.push([0, width, height + dy, height]);
    const rows = [Math.max(0, dy), Math.min(height, height + dy)];
    if (dx > 0) boxes.push([0, dx, rows[0], rows[1]]);
    if (dx < 0) boxes.push([width + dx, width, rows[0], rows[1]]);
    return boxes;
  }

  /** @param {Box} box */
  clear([x0, x1, y0, y1]) {
    for (let row = y0; row < y1; row++) {
      this.cell.fill(NOTHING, row * this.width + x0, row * this.width + x1);
      this.words.fill(0, row * this.width + x0, row * this.width + x1);
    }
  }

  /** Give the pixels of a convex polygon to a cell: those whose middles lie in it, a middle on a side to the cell at
   * its right. @param {Float64Array} xs @param {Float64Array} ys in pixels, rows going down @param {number} n @param {number} cell @param {Box} box */
  fill(xs, ys, n, cell, [x0, x1, y0, y1]) {
    let top = ys[0];
    let bottom = ys[0];
    for (let k = 1; k < n; k++) {
      if (ys[k] < top) top = ys[k];
      if (ys[k] > bottom) bottom = ys[k];
    }
    const last = Math.min(y1, Math.ceil(bottom - 0.5));
    for (let row = Math.max(y0, Math.ceil(top - 0.5)); row < last; row++) {
      const y = row + 0.5;
      let left = Infinity;
      let right = -Infinity;
      for (let k = 0, j = n - 1; k < n; j = k++) {
        if (ys[j] <= y === ys[k] <= y) continue;
        // the upper end first, so that both cells of an edge find the same number
        const x = ys[j] < ys[k]
          ? xs[j] + ((y - ys[j]) * (xs[k] - xs[j])) / (ys[k] - ys[j])
          : xs[k] + ((y - ys[k]) * (xs[j] - xs[k])) / (ys[j] - ys[k]);
        if (x < left) left = x;
        if (x > right) right = x;
      }
      const begin = Math.max(x0, Math.ceil(left - 0.5));
      const end = Math.min(x1, Math.ceil(right - 0.5));
      for (let at = row * this.width + begin, stop = row * this.width + end; at < stop; at++) this.cell[at] = cell;
    }
  }

  /** Blend a line over what is there. @param {number} ax @param {number} ay @param {number} bx @param {number} by
   * @param {number} thick pixels @param {number} color 0xbbggrr @param {number} alpha @param {Box} box */
  line(ax, ay, bx, by, thick, color, alpha, [x0, x1, y0, y1]) {
    const steep = Math.abs(by - ay) > Math.abs(bx - ax);
    // along the longer way, which is called a below
    let [a0, c0, a1, c1] = steep ? [ay, ax, by, bx] : [ax, ay, bx, by];
    if (a0 > a1) [a0, c0, a1, c1] = [a1, c1, a0, c0];
    const [low, high, from, to] = steep ? [x0, x1, y0, y1] : [y0, y1, x0, x1];
    const span = a1 - a0;
    const slope = span > 1e-12 ? (c1 - c0) / span : 0;
    // a thin line fades; a thick one is measured across
    const half = (Math.max(thick, 1) / 2) * Math.sqrt(1 + slope * slope);
    const strength = alpha * Math.min(1, thick);
    const red = color & 255;
    const green = (color >> 8) & 255;
    const blue = (color >> 16) & 255;
    const { bytes, width } = this;
    const stop = Math.min(to - 1, Math.floor(a1));
    for (let a = Math.max(from, Math.floor(a0)); a <= stop; a++) {
      // the share of this column that the line is in
      const share = Math.min(a + 1, a1) - Math.max(a, a0);
      const middle = c0 + slope * (Math.min(Math.max(a + 0.5, a0), a1) - a0);
      const first = Math.max(low, Math.floor(middle - half));
      const end = Math.min(high - 1, Math.floor(middle + half));
      for (let c = first; c <= end; c++) {
        const cover = Math.min(c + 1, middle + half) - Math.max(c, middle - half);
        const share8 = strength * Math.min(1, cover) * (share < 1 ? Math.max(share, 0) : 1);
        const at = 4 * (steep ? a * width + c : c * width + a);
        if (bytes[at + 3] === 0) {
          bytes[at] = red;
          bytes[at + 1] = green;
          bytes[at + 2] = blue;
          bytes[at + 3] = Math.round(255 * share8);
          continue;
        }
        bytes[at] += (red - bytes[at]) * share8;
        bytes[at + 1] += (green - bytes[at + 1]) * share8;
        bytes[at + 2] += (blue - bytes[at + 2]) * share8;
      }
    }
  }
}
