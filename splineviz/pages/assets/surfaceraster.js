/** The graph of a function drawn without WebGL: facets by scanlines into a buffer of depths, then pixels coloured by
 * their facets and lines blended over that, so that the picture is that of surfacegl.js. */

import { NEARER } from "./surfacegl.js";

/** @typedef {import("./surfacemesh.js").Mesh} Mesh */
/** @typedef {import("./surfaceorbit.js").Projection} Projection */
/** @typedef {import("./colors.js").LineStyle} LineStyle */

export class SurfaceRaster {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.image = new ImageData(1, 1);
    this.facet = new Int32Array(1);
    this.depth = new Float32Array(1);
    /** @type {Mesh | null} */
    this.mesh = null;
    /** Pixels and depths of all corners. */
    this.px = new Float64Array(0);
    this.py = new Float64Array(0);
    this.near = new Float64Array(0);
  }

  /** Take what is to be drawn. @param {Mesh} mesh */
  load(mesh) {
    this.mesh = mesh;
    const n = mesh.facets.x.length;
    [this.px, this.py, this.near] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  }

  /** @param {Projection} projection @param {{lines: LineStyle[], strokes: LineStyle[]}} styles
   * @param {number} pixels of this canvas, per
   * pixel that widths are told in */
  draw(projection, styles, pixels) {
    const { width, height } = projection;
    if (this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.facet = new Int32Array(width * height);
      this.depth = new Float32Array(width * height);
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    this.facet.fill(-1);
    this.depth.fill(-Infinity);
    this.project(projection);
    const { n, first } = /** @type {Mesh} */ (this.mesh).facets;
    for (let f = 0; f < n; f++) this.fill(f, first[f], first[f + 1], width, height);
    this.color(projection.growth);
    const { lines, strokes } = /** @type {Mesh} */ (this.mesh);
    if (styles.lines.length) this.stroke(projection, lines, styles.lines, pixels);
    this.stroke(projection, strokes, styles.strokes, pixels);
    this.context.putImageData(this.image, 0, 0);
  }

  /** @param {Projection} projection */
  project(projection) {
    const { facets, relief } = /** @type {Mesh} */ (this.mesh);
    const { x, y, h } = facets;
    const { scale, width, height } = projection;
    const [right, up, near] = projection.rows([projection.x, projection.y, projection.z]);
    for (let k = 0; k < x.length; k++) {
      const dx = x[k] - projection.x;
      const dy = y[k] - projection.y;
      const dz = relief.z(h[k]) - projection.z;
      this.px[k] = width / 2 + scale * (right[0] * dx + right[1] * dy + right[2] * dz);
      this.py[k] = height / 2 - scale * (up[0] * dx + up[1] * dy + up[2] * dz);
      this.near[k] = scale * (near[0] * dx + near[1] * dy + near[2] * dz);
    }
  }

  /** Give a facet the pixels whose middles lie in it and that are nearer than what is there.
   * @param {number} f @param {number} begin @param {number} end corners @param {number} width @param {number} height */
  fill(f, begin, end, width, height) {
    const { px, py, near, facet, depth } = this;
    let top = py[begin];
    let bottom = top;
    for (let k = begin + 1; k < end; k++) {
      if (py[k] < top) top = py[k];
      if (py[k] > bottom) bottom = py[k];
    }
    const last = Math.min(height, Math.ceil(bottom - 0.5));
    for (let row = Math.max(0, Math.ceil(top - 0.5)); row < last; row++) {
      const y = row + 0.5;
      let left = Infinity;
      let right = -Infinity;
      let nearLeft = 0;
      let nearRight = 0;
      for (let k = begin, j = end - 1; k < end; j = k++) {
        if (py[j] <= y === py[k] <= y) continue;
        // the upper end first, so that both facets at a side find the same number
        const a = py[j] < py[k] ? j : k;
        const b = j + k - a;
        const t = (y - py[a]) / (py[b] - py[a]);
        const x = px[a] + t * (px[b] - px[a]);
        const z = near[a] + t * (near[b] - near[a]);
        if (x < left) {
          left = x;
          nearLeft = z;
        }
        if (x > right) {
          right = x;
          nearRight = z;
        }
      }
      const from = Math.max(0, Math.ceil(left - 0.5));
      const to = Math.min(width, Math.ceil(right - 0.5));
      const slope = right > left ? (nearRight - nearLeft) / (right - left) : 0;
      for (let column = from; column < to; column++) {
        const z = nearLeft + slope * (column + 0.5 - left);
        const at = row * width + column;
        if (z < depth[at]) continue;
        depth[at] = z;
        facet[at] = f;
      }
    }
  }

  /** Colour pixels by their facets. @param {number} growth */
  color(growth) {
    const { face, tones, scaleWords } = /** @type {Mesh} */ (this.mesh);
    const { facet } = this;
    const { width } = this.image;
    const words = new Uint32Array(this.image.data.buffer);
    let taken = -1;
    let [light, red, green, blue, word] = [1, 0, 0, 0, 0];
    for (let at = 0; at < words.length; at++) {
      const f = facet[at];
      if (f < 0) {
        words[at] = 0;
        continue;
      }
      if (f === taken && !tones.length) {
        words[at] = word;
        continue;
      }
      if (f !== taken) {
        taken = f;
        light = 1 + growth * ((face[f] >>> 24) / 255 - 1);
        if (this.below(f)) light *= 0.7;
        [red, green, blue] = [face[f] & 255, (face[f] >> 8) & 255, (face[f] >> 16) & 255];
      }
      if (tones.length) {
        const found = this.toneAt(f, (at % width) + 0.5, Math.floor(at / width) + 0.5);
        const step = scaleWords[Math.max(0, Math.min(255, Math.floor(256 * found[0])))];
        [red, green, blue] = tones.length > 1
          ? found.map((tone) => 255 * Math.max(0, Math.min(1, tone)))
          : [step & 255, (step >> 8) & 255, (step >> 16) & 255];
      }
      word = (255 << 24) | ((light * blue + 0.5) << 16) | ((light * green + 0.5) << 8) | (light * red + 0.5);
      words[at] = word;
    }
  }

  /** Whether a facet is seen from below. @param {number} f */
  below(f) {
    const { first } = /** @type {Mesh} */ (this.mesh).facets;
    const { px, py } = this;
    let twice = 0;
    for (let k = first[f] + 1, a = first[f]; k + 1 < first[f + 1]; k++) {
      twice += (px[k] - px[a]) * (py[k + 1] - py[a]) - (px[k + 1] - px[a]) * (py[k] - py[a]);
    }
    return twice > 0;
  }

  /** Tones of a facet at a pixel: by the triangle of its fan that holds it. @param {number} f @param {number} x
   * @param {number} y */
  toneAt(f, x, y) {
    const { facets, tones } = /** @type {Mesh} */ (this.mesh);
    const { px, py } = this;
    const a = facets.first[f];
    let best = [1, 0, 0, a, a, a];
    let least = -Infinity;
    for (let b = a + 1; b + 1 < facets.first[f + 1]; b++) {
      const c = b + 1;
      const area = (px[b] - px[a]) * (py[c] - py[a]) - (px[c] - px[a]) * (py[b] - py[a]);
      if (!area) continue;
      const s = ((x - px[a]) * (py[c] - py[a]) - (px[c] - px[a]) * (y - py[a])) / area;
      const t = ((px[b] - px[a]) * (y - py[a]) - (x - px[a]) * (py[b] - py[a])) / area;
      const inside = Math.min(s, t, 1 - s - t);
      if (inside <= least) continue;
      least = inside;
      best = [1 - s - t, s, t, a, b, c];
      if (inside >= 0) break;
    }
    return tones.map((tone) => best[0] * tone[best[3]] + best[1] * tone[best[4]] + best[2] * tone[best[5]]);
  }

  /** @param {Projection} projection @param {Float64Array} ends x, y, z twice, and the style @param {LineStyle[]} styles
   * @param {number} pixels */
  stroke(projection, ends, styles, pixels) {
    const { scale, width, height, x, y, z } = projection;
    const [right, up, near] = projection.rows([x, y, z]);
    const from = [0, 0, 0];
    const to = [0, 0, 0];
    for (let k = 0; k < ends.length; k += 7) {
      for (const [at, end] of /** @type {[number, number[]][]} */ ([[k, from], [k + 3, to]])) {
        const [dx, dy, dz] = [ends[at] - x, ends[at + 1] - y, ends[at + 2] - z];
        end[0] = width / 2 + scale * (right[0] * dx + right[1] * dy + right[2] * dz);
        end[1] = height / 2 - scale * (up[0] * dx + up[1] * dy + up[2] * dz);
        end[2] = scale * (near[0] * dx + near[1] * dy + near[2] * dz);
      }
      const { color, thick, alpha } = styles[ends[k + 6]];
      this.line(from, to, thick * pixels, color, alpha, width, height);
    }
  }

  /** Blend a line over what is not nearer. @param {number[]} from @param {number[]} to column, row and depth
   * @param {number} thick
   * @param {number} color @param {number} alpha @param {number} width @param {number} height */
  line([ax, ay, az], [bx, by, bz], thick, color, alpha, width, height) {
    const half = Math.max(thick, 1) / 2;
    const [dx, dy] = [bx - ax, by - ay];
    const length2 = dx * dx + dy * dy;
    if (!length2) return;
    const length = Math.sqrt(length2);
    const steep = Math.abs(dy) > Math.abs(dx);
    const [a0, a1, c0, slope, most, across] = steep
      ? [ay, by, ax - (ay * dx) / dy, dx / dy, height, width]
      : [ax, bx, ay - (ax * dy) / dx, dy / dx, width, height];
    const wide = (half + 0.5) * Math.sqrt(1 + slope * slope);
    const strength = alpha * Math.min(1, thick);
    const bytes = this.image.data;
    const stop = Math.min(most - 1, Math.floor(Math.max(a0, a1)));
    for (let a = Math.max(0, Math.floor(Math.min(a0, a1))); a <= stop; a++) {
      const middle = c0 + slope * (a + 0.5);
      const end = Math.min(across - 1, Math.floor(middle + wide));
      for (let c = Math.max(0, Math.floor(middle - wide)); c <= end; c++) {
        const [x, y] = steep ? [c + 0.5, a + 0.5] : [a + 0.5, c + 0.5];
        const t = ((x - ax) * dx + (y - ay) * dy) / length2;
        if (t < 0 || t > 1) continue;
        const away = Math.abs((x - ax) * dy - (y - ay) * dx) / length;
        const share = strength * Math.max(0, Math.min(1, half + 0.5 - away));
        const pixel = (y - 0.5) * width + (x - 0.5);
        if (share === 0 || az + t * (bz - az) + NEARER * (half + 0.5) < this.depth[pixel]) continue;
        const at = 4 * pixel;
        // colours of a canvas are not multiplied by their share
        const under = bytes[at + 3] / 255;
        const whole = share + under * (1 - share);
        for (let k = 0; k < 3; k++) {
          const ink = (color >> (8 * k)) & 255;
          bytes[at + k] = (share * ink + under * (1 - share) * bytes[at + k]) / whole + 0.5;
        }
        bytes[at + 3] = 255 * whole + 0.5;
      }
    }
  }
}
