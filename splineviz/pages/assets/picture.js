/** The picture of a panel: fills, lines and boundary by raster, marks above them on a canvas of their own. */

import { MIXED } from "./decisions.js";
import { edgeStyles, faded, fillOf, pack, step } from "./colors.js";
import { NOTHING, Raster } from "./raster.js";
import { Maps } from "./values.js";

/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./raster.js").Box} Box */
/**
 * @typedef {{color: string, edges: string, boundary: boolean, stage: number, scale?: import("./colors.js").Scale,
 *   chosen: Uint8Array | null, lines: number[], pixelRatio: number}} Look
 * `chosen` cells stand out, and the edges of `lines` are drawn on top
 */

/** Colour of chosen lines. */
export const ACCENT = pack("#d100d1");

export class Picture {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.raster = new Raster(1, 1);
    /** @type {Camera | null} */
    this.camera = null;
    this.look = "";
    this.corners = [new Float64Array(16), new Float64Array(16)];
    this.maps = new Maps(panel.cells);
    /** @type {import("./colors.js").Fill | null} */
    this.fill = null;
    this.fillKey = "";
    /** Width of the widest lines, in pixels: that of the last whole drawing, so that what is added looks alike. */
    this.widest = 1;
  }

  /** Draw what a camera sees, as little of it anew as can be: returns how many pixels were drawn.
   * @param {Camera} camera moved to whole pixels if only moved @param {Look} look @param {number} width @param {number} height */
  draw(camera, look, width, height) {
    const key = this.keyOf(look);
    let boxes = [this.raster.whole];
    const before = this.camera;
    if (this.raster.width !== width || this.raster.height !== height) {
      this.raster = new Raster(width, height);
      boxes = [this.raster.whole];
    } else if (before && key === this.look && before.zoom === camera.zoom) {
      const scale = camera.scale(width, height);
      const [dx, dy] = [Math.round((before.x - camera.x) * scale), Math.round((camera.y - before.y) * scale)];
      camera.x = before.x - dx / scale;
      camera.y = before.y + dy / scale;
      boxes = dx || dy ? this.raster.shift(dx, dy) : [];
    }
    this.camera = camera.copy();
    this.look = key;
    if (boxes[0] && boxes[0][1] - boxes[0][0] === width && boxes[0][3] - boxes[0][2] === height) this.findWidth(look.pixelRatio);
    for (const box of boxes) if (box[1] > box[0] && box[3] > box[2]) this.drawBox(box, look);
    return boxes.reduce((sum, [x0, x1, y0, y1]) => sum + (x1 - x0) * (y1 - y0), 0);
  }

  /** @param {Look} look */
  keyOf(look) {
    const { chosen, lines, ...rest } = look;
    return JSON.stringify(rest) + identity(chosen) + identity(lines);
  }

  /** Colours of the cells, kept until they are others. @param {Look} look */
  colors(look) {
    const key = JSON.stringify([look.color, look.stage, look.scale ?? null]);
    if (!this.fill || key !== this.fillKey) this.fill = fillOf(this.panel, look.color, look.stage, look.scale);
    this.fillKey = key;
    return this.fill;
  }

  /** @param {Box} box @param {Look} look */
  drawBox(box, look) {
    const { raster, panel } = this;
    const { cells } = panel;
    const camera = /** @type {Camera} */ (this.camera);
    const { width, height } = raster;
    raster.clear(box);
    const [x0, y1] = camera.place(box[0], box[2], width, height);
    const [x1, y0] = camera.place(box[1], box[3], width, height);
    const margin = 4 / camera.scale(width, height);
    const seen = panel.grid.within([x0 - margin, x1 + margin, y0 - margin, y1 + margin]);
    const scale = camera.scale(width, height);
    // the pixel of a place is right + scale * x, and down - scale * y; differences first, for they are exact
    const [cx, cy, right, down] = [camera.x, camera.y, width / 2, height / 2];
    for (let k = 0; k < seen.length; k++) {
      const cell = seen[k];
      const begin = cells.first[cell];
      const n = cells.first[cell + 1] - begin;
      if (n > this.corners[0].length) this.corners = [new Float64Array(2 * n), new Float64Array(2 * n)];
      const [xs, ys] = this.corners;
      for (let side = 0; side < n; side++) {
        const vertex = cells.corners[begin + side];
        xs[side] = right + scale * (cells.x[vertex] - cx);
        ys[side] = down - scale * (cells.y[vertex] - cy);
      }
      raster.fill(xs, ys, n, cell, box);
    }
    this.colorBox(box, look);
    this.drawEdges(seen, box, look);
    if (look.boundary && panel.hasValues && look.stage >= panel.stages.last) this.drawBoundary(seen, box, look);
  }

  /** Colour pixels by their cells. @param {Box} box @param {Look} look */
  colorBox([x0, x1, y0, y1], look) {
    const { raster, panel, maps } = this;
    const { packed, pixels, scale } = this.colors(look);
    const classes = panel.palette.classes.map(pack);
    const steps = panel.palette.scaleWords;
    const camera = /** @type {Camera} */ (this.camera);
    for (let row = y0; row < y1; row++) {
      for (let column = x0, at = row * raster.width + x0; column < x1; column++, at++) {
        const cell = raster.cell[at];
        if (cell === NOTHING) continue;
        let word = packed[cell];
        if (pixels === "value" || (pixels === "class" && panel.decisions().ofCell[cell] === MIXED)) {
          const [x, y] = camera.place(column + 0.5, row + 0.5, raster.width, raster.height);
          maps.take(cell);
          if (pixels === "class") word = classes[maps.winner(x, y, panel.scene.level)];
          else if (maps.outputs === 1 && scale) word = steps[step(maps.at(0, x, y), scale)];
          else if (scale) word = rgbWord(maps, x, y, scale);
        }
        raster.words[at] = look.chosen && !look.chosen[cell] ? faded(word) : word;
      }
    }
  }

  /** Edges of some cells that the look shows. @param {Int32Array} seen @param {Box} box @param {Look} look */
  drawEdges(seen, box, look) {
    const { panel } = this;
    const { cells, stages } = panel;
    const n = Math.max(1, stages.stages.length);
    if (look.edges !== "none") {
      const { styles, of } = edgeStyles(panel, look.edges, this.widest);
      // later stages first, so that earlier ones, which run through, lie on top
      const byStage = edgesByStage(cells, stages.ofEdge, seen, look.stage, n);
      for (let stage = n - 1; stage >= 0; stage--) {
        for (const edge of byStage[stage]) {
          const { color, thick, alpha } = styles[of(edge)];
          this.line(edge, thick, color, alpha, box);
        }
      }
    }
    for (const edge of look.lines) this.line(edge, 2.4 * look.pixelRatio, ACCENT & 0xffffff, 1, box);
  }

  /** @param {number} pixelRatio */
  findWidth(pixelRatio) {
    const { width, height } = this.raster;
    this.widest = lineWidth(this.panel, /** @type {Camera} */ (this.camera), width, height, pixelRatio, 1);
  }

  /** @param {number} edge @param {number} thick @param {number} color @param {number} alpha @param {Box} box */
  line(edge, thick, color, alpha, box) {
    const { cells } = this.panel;
    const [from, to] = [cells.edgeFrom[edge], cells.edgeTo[edge]];
    this.segment(cells.x[from], cells.y[from], cells.x[to], cells.y[to], thick, color, alpha, box);
  }

  /** A line between two places. @param {number} ax @param {number} ay @param {number} bx @param {number} by
   * @param {number} thick @param {number} color @param {number} alpha @param {Box} box */
  segment(ax, ay, bx, by, thick, color, alpha, box) {
    const { width, height } = this.raster;
    const camera = /** @type {Camera} */ (this.camera);
    const [px, py] = camera.pixel(ax, ay, width, height);
    const [qx, qy] = camera.pixel(bx, by, width, height);
    if (Math.max(px, qx) < box[0] - thick || Math.min(px, qx) > box[1] + thick) return;
    if (Math.max(py, qy) < box[2] - thick || Math.min(py, qy) > box[3] + thick) return;
    this.raster.line(px, py, qx, qy, thick, color, alpha, box);
  }

  /** @param {Int32Array} seen @param {Box} box @param {Look} look */
  drawBoundary(seen, box, look) {
    const { panel } = this;
    const { first, segments, edges } = panel.decisions();
    const color = pack(panel.palette.boundary) & 0xffffff;
    for (const [thick, ink] of [[3.2, 0xffffff], [1.7, color]]) {
      const wide = thick * look.pixelRatio;
      for (let k = 0; k < seen.length; k++) {
        for (let s = first[seen[k]]; s < first[seen[k] + 1]; s++) {
          this.segment(segments[4 * s], segments[4 * s + 1], segments[4 * s + 2], segments[4 * s + 3], wide, ink, 1, box);
        }
      }
      for (const edge of edges) this.line(edge, wide, ink, 1, box);
    }
  }
}

/** Width of the widest lines: thinner where cells are small, so that they never hide the fills.
 * @param {Panel} panel @param {Camera} camera @param {number} width @param {number} height @param {number} pixelRatio
 * @param {number} shrink how long ways are seen, against those of the camera */
export function lineWidth(panel, camera, width, height, pixelRatio, shrink) {
  const [x0, x1, y0, y1] = camera.seen(width, height);
  const inside = (/** @type {number} */ place) => Math.min(1, Math.max(0, place));
  const area = (inside(x1) - inside(x0)) * (inside(y1) - inside(y0));
  const size = Math.sqrt(area / Math.max(1, panel.grid.within([x0, x1, y0, y1]).length)) * camera.scale(width, height) * shrink;
  return pixelRatio * Math.min(Math.max((0.05 * size) / pixelRatio, 0.16), 1.2);
}

/** The edges of some cells up to a stage, by stage, each once. @param {import("./cells.js").Cells} cells @param {Int16Array} ofEdge
 * @param {Int32Array} seen @param {number} last @param {number} n @returns {number[][]} */
function edgesByStage(cells, ofEdge, seen, last, n) {
  /** @type {number[][]} */
  const found = Array.from({ length: n }, () => []);
  for (let k = 0; k < seen.length; k++) {
    const cell = seen[k];
    for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
      const edge = cells.sideEdge[side];
      // an edge belongs to its first cell; where only the other one is near, it lies out of sight, but for long cells
      if (ofEdge[edge] >= 0 && ofEdge[edge] <= last && cells.edgeCells[2 * edge] === cell) found[ofEdge[edge]].push(edge);
    }
  }
  return found;
}

/** @param {Maps} maps @param {number} x @param {number} y @param {import("./colors.js").Scale} scale */
function rgbWord(maps, x, y, { low, high }) {
  const [red, green, blue] = [0, 1, 2].map((k) =>
    Math.max(0, Math.min(255, Math.round((255 * (maps.at(k, x, y) - low)) / (high - low)))),
  );
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

const numbers = new WeakMap();
let latest = 0;

/** A number for an object that stays the same. @param {object | null} object */
export function identity(object) {
  if (!object) return 0;
  if (!numbers.has(object)) numbers.set(object, ++latest);
  return numbers.get(object);
}

