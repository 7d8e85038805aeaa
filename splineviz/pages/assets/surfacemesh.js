/** What is drawn of a graph: facets with their colours and shares of light, the lines of edges, and strokes on top. */

import { edgeStyles, faded, pack } from "./colors.js";
import { ACCENT } from "./picture.js";
import { Facets, heightOf, Row } from "./surfaceshape.js";
import { RELIEF } from "./surfaceorbit.js";
import { Maps } from "./values.js";

/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {import("./picture.js").Look} Look */
/** @typedef {import("./colors.js").Fill} Fill */
/** @typedef {import("./colors.js").LineStyle} LineStyle */
/** @typedef {import("./surfaceshape.js").PlaceBox} PlaceBox */

/** Where the light comes from. */
const LIGHT = [-0.46, 0.38, 0.8];
const DARKEST = 0.5;

/** Number of facets up to which edges are drawn: of more, facets are smaller than pixels. */
const MOST_LINED = 300000;
/** Number of facets up to which the edges are drawn at the foot, too, and how strongly. */
const MOST_BELOW = 20000;
const FAINT = 0.4;

/** Styles of strokes, by their places in `strokeStyles`. */
const FRAME = 0;
const HALO = 1;
const BOUNDARY = 2;
const CHOSEN = 3;

/** Heights as places: the range becomes RELIEF, its middle 0. */
export class Relief {
  /** @param {[number, number]} range of heights */
  constructor([low, high]) {
    this.low = low;
    this.high = high;
    this.middle = low / 2 + high / 2;
    this.unit = high > low ? RELIEF / (high - low) : 0;
  }

  /** @param {number} height */
  z(height) {
    return (height - this.middle) * this.unit;
  }
}

export class Mesh {
  /** @param {Facets} facets @param {Relief} relief @param {Look} look @param {Fill} fill
   * @param {[number, number][]} window its outline in places */
  constructor(facets, relief, look, fill, window) {
    this.facets = facets;
    this.panel = facets.panel;
    this.relief = relief;
    /** Red, green, blue, and the share of light. */
    this.face = new Uint32Array(facets.n);
    /** Shares of a scale that colours follow along facets: one number, or red, green and blue.
     * @type {Float64Array[]} */
    this.tones = [];
    /** Scale that one tone is read on. */
    this.scaleWords = this.panel.palette.scaleWords;
    this.paintFaces(look, fill);
    /** Lines of edges, which are left out where drawing takes long: the ends, x, y, z twice, and the style. */
    this.lines = this.edgeLines(look);
    this.row = new Row(new Float64Array(700));
    this.addFrame(window);
    if (look.boundary && look.stage >= this.panel.stages.last) this.addBoundary();
    this.addEdges(look.lines, [CHOSEN]);
    /** Strokes on top of them, which are few. */
    this.strokes = this.row.done();
  }

  /** @param {Look} look @param {Fill} fill */
  paintFaces(look, { packed, pixels, scale }) {
    const { facets, face } = this;
    const classes = this.panel.palette.classes.map(pack);
    for (let f = 0; f < facets.n; f++) {
      const cell = facets.cell[f];
      let word = pixels === "class" && facets.winner[f] >= 0 ? classes[facets.winner[f]] : packed[cell];
      if (look.chosen && !look.chosen[cell]) word = faded(word);
      face[f] = (word & 0xffffff) | (Math.round(255 * this.light(f)) << 24);
    }
    if (scale && facets.tones.length) {
      const { low, high } = scale;
      this.tones = facets.tones.map((tone) => tone.map((value) => (value - low) / (high - low)));
    }
  }

  /** Share of light on a facet, by its normal. @param {number} f */
  light(f) {
    const { first, x, y, h } = this.facets;
    const { unit } = this.relief;
    const a = first[f];
    let [nx, ny, nz] = [0, 0, 0];
    for (let side = a + 1; side + 1 < first[f + 1]; side++) {
      const [bx, by, bz] = [x[side] - x[a], y[side] - y[a], unit * (h[side] - h[a])];
      const [cx, cy, cz] = [x[side + 1] - x[a], y[side + 1] - y[a], unit * (h[side + 1] - h[a])];
      nx += by * cz - bz * cy;
      ny += bz * cx - bx * cz;
      nz += bx * cy - by * cx;
    }
    const length = Math.sqrt(nx * nx + ny * ny + nz * nz);
    if (!(length > 0)) return 1;
    const towards = (nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2]) / length;
    // what faces away is not all as dark, so that kinks are seen there, too
    return DARKEST + ((1 - DARKEST) * (1 + towards)) / 2;
  }

  /** Edges that the look shows, those of early stages on top. @param {Look} look @returns {Float64Array} */
  edgeLines(look) {
    if (look.edges === "none" || this.facets.n > MOST_LINED) return new Float64Array(0);
    const { panel, facets } = this;
    const { ofEdge } = panel.stages;
    const { styles, of } = edgeStyles(panel, look.edges, 1);
    const sides = this.sidesOf((edge) => ofEdge[edge] >= 0 && ofEdge[edge] <= look.stage);
    sides.sort((one, other) => ofEdge[facets.edge[other]] - ofEdge[facets.edge[one]]);
    const row = new Row(new Float64Array(14 * sides.length));
    if (facets.n <= MOST_BELOW && !facets.box) {
      for (const side of sides) this.addShadow(row, side, styles.length + of(facets.edge[side]));
    }
    for (const side of sides) this.addSide(row, side, of(facets.edge[side]));
    return row.done();
  }

  /** Sides of facets on edges that count, one of both of an edge. @param {(edge: number) => boolean} counts
   * @returns {Int32Array} */
  sidesOf(counts) {
    const { facets } = this;
    const { edgeCells } = this.panel.cells;
    const found = new Row(new Int32Array(1024));
    for (let f = 0; f < facets.n; f++) {
      for (let side = facets.first[f]; side < facets.first[f + 1]; side++) {
        const edge = facets.edge[side];
        if (edge < 0 || !counts(edge)) continue;
        const owner = edgeCells[2 * edge];
        if (owner === facets.cell[f] || facets.ofCell[owner] < 0) found.push(side);
      }
    }
    return found.done();
  }

  /** @param {Row<Float64Array>} row @param {number} side of a facet @param {number} style */
  addSide(row, side, style) {
    const { x, y, h, after } = this.facets;
    for (const end of [side, after[side]]) {
      row.push(x[end]);
      row.push(y[end]);
      row.push(this.relief.z(h[end]));
    }
    row.push(style);
  }

  /** A side at the foot of the graph: the tessellation under it. @param {Row<Float64Array>} row @param {number} side
   * @param {number} style */
  addShadow(row, side, style) {
    const { x, y, after } = this.facets;
    const end = after[side];
    const z = this.relief.z(this.relief.low);
    for (const number of [x[side], y[side], z, x[end], y[end], z, style]) row.push(number);
  }

  /** The rim of the graph, and the outline of the window at its foot. @param {[number, number][]} window */
  addFrame(window) {
    const { box } = this.facets;
    const { edgeCells } = this.panel.cells;
    for (const side of this.sidesOf((edge) => edgeCells[2 * edge + 1] < 0)) this.addSide(this.row, side, FRAME);
    const z = this.relief.z(this.relief.low);
    window.forEach(([x, y], k) => {
      const [nextX, nextY] = window[(k + 1) % window.length];
      this.addStroke(x, y, z, nextX, nextY, z, FRAME, box);
    });
  }

  addBoundary() {
    const { panel, relief, facets } = this;
    const { first, segments: s, edges } = panel.decisions();
    const maps = new Maps(panel.cells);
    const of = heightOf(panel, facets.output);
    const z = (/** @type {number} */ x, /** @type {number} */ y) => {
      const values = maps.all(x, y);
      if (values.length === 1) values.unshift(panel.scene.level);
      return relief.z(of(values));
    };
    for (const style of [HALO, BOUNDARY]) {
      for (let f = 0; f < facets.n; f++) {
        const cell = facets.cell[f];
        if (facets.ofCell[cell] !== f || first[cell] === first[cell + 1]) continue;
        maps.take(cell);
        for (let k = 4 * first[cell]; k < 4 * first[cell + 1]; k += 4) {
          const [ax, ay, bx, by] = [s[k], s[k + 1], s[k + 2], s[k + 3]];
          this.addStroke(ax, ay, z(ax, ay), bx, by, z(bx, by), style, facets.box);
        }
      }
    }
    this.addEdges(edges, [HALO, BOUNDARY]);
  }

  /** Strokes along edges, as they bend with the facets. @param {ArrayLike<number>} edges @param {number[]} styles */
  addEdges(edges, styles) {
    if (!edges.length) return;
    const wanted = new Uint8Array(this.panel.cells.nEdges);
    for (let k = 0; k < edges.length; k++) wanted[edges[k]] = 1;
    const sides = this.sidesOf((edge) => wanted[edge] > 0);
    for (const style of styles) for (const side of sides) this.addSide(this.row, side, style);
  }

  /** A stroke, or what of it lies in a box. @param {number} ax @param {number} ay @param {number} az @param {number} bx
   * @param {number} by
   * @param {number} bz @param {number} style @param {PlaceBox | null} box */
  addStroke(ax, ay, az, bx, by, bz, style, box) {
    let [from, to] = [0, 1];
    if (box) {
      for (const [start, way, low, high] of [[ax, bx - ax, box[0], box[1]], [ay, by - ay, box[2], box[3]]]) {
        const [one, other] = [(low - start) / way, (high - start) / way];
        if (way === 0 && (start < low || start > high)) return;
        if (way === 0) continue;
        [from, to] = [Math.max(from, Math.min(one, other)), Math.min(to, Math.max(one, other))];
      }
      if (from >= to) return;
    }
    const at = (/** @type {number} */ t) => [ax + t * (bx - ax), ay + t * (by - ay), az + t * (bz - az)];
    for (const number of [...at(from), ...at(to), style]) this.row.push(number);
  }

  /** Styles of lines, then of those at the foot, and of strokes.
   * @param {Look} look @param {number} widest @param {number} frame its colour @param {number} growth
   * @returns {{lines: LineStyle[], strokes: LineStyle[]}} */
  styles(look, widest, frame, growth) {
    const boundary = pack(this.panel.palette.boundary) & 0xffffff;
    const { pixelRatio } = look;
    const strokes = [];
    strokes[FRAME] = { color: frame, thick: 1.2 * pixelRatio, alpha: 1 };
    strokes[HALO] = { color: 0xffffff, thick: 3.2 * pixelRatio, alpha: 1 };
    strokes[BOUNDARY] = { color: boundary, thick: 1.7 * pixelRatio, alpha: 1 };
    strokes[CHOSEN] = { color: ACCENT & 0xffffff, thick: 2.4 * pixelRatio, alpha: 1 };
    const lines = look.edges === "none" ? [] : edgeStyles(this.panel, look.edges, widest).styles;
    const faint = lines.map((style) => ({ ...style, alpha: FAINT * growth * style.alpha }));
    return { lines: [...lines, ...faint], strokes };
  }
}
