/** The graph of a function drawn by WebGL 2: the geometry is uploaded once, and a frame sends a matrix. Positions are
 * relative to an origin that is near what is seen, taken in double precision before they are narrowed. */

import { FACET, FACET_PIXEL, STROKE, STROKE_PIXEL } from "./surfaceshaders.js";

/** @typedef {import("./surfacemesh.js").Mesh} Mesh */
/** @typedef {import("./surfaceorbit.js").Projection} Projection */
/** @typedef {import("./colors.js").LineStyle} LineStyle */
/** @typedef {{lines: LineStyle[], strokes: LineStyle[]}} Styles */

const STYLES = 256;
/** How much nearer to the eye lines are than what they lie on, in pixels for each that they reach to a side: facets that
 * are steeper to the eye hide parts of them. */
export const NEARER = 4;

export class SurfaceGl {
  /** @param {HTMLCanvasElement} canvas @param {boolean} fast without a graphics card WebGL is slower than scanlines are
   * @returns {SurfaceGl | null} null where there is no WebGL 2 */
  static on(canvas, fast) {
    if (fast && inSoftware()) return null;
    const gl = canvas.getContext("webgl2", { antialias: false });
    return gl && new SurfaceGl(canvas, gl);
  }

  /** @param {HTMLCanvasElement} canvas @param {WebGL2RenderingContext} gl */
  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    /** By the number of tones. @type {Map<number, WebGLProgram>} */
    this.facetPrograms = new Map();
    this.strokeProgram = program(gl, STROKE, STROKE_PIXEL);
    this.styles = texture(gl);
    this.scale = texture(gl);
    this.facetArray = gl.createVertexArray();
    this.lineArray = gl.createVertexArray();
    this.strokeArray = gl.createVertexArray();
    /** @type {WebGLBuffer[]} */
    this.buffers = [];
    /** @type {Mesh | null} */
    this.mesh = null;
    this.indices = 0;
    /** @type {[number, number, number]} */
    this.origin = [0, 0, 0];
    this.depth = 1;
  }

  /** Upload what is to be drawn. @param {Mesh} mesh
   * @param {[number, number, number]} origin near the middle of what is seen */
  load(mesh, origin) {
    const { gl } = this;
    for (const buffer of this.buffers) gl.deleteBuffer(buffer);
    this.buffers = [];
    [this.mesh, this.origin] = [mesh, origin];
    const { place, face, index, tone, reach } = fans(mesh, origin);
    this.indices = index.length;
    this.depth = reach;
    gl.bindVertexArray(this.facetArray);
    this.upload(gl.ARRAY_BUFFER, place);
    attribute(gl, 0, 3, gl.FLOAT, 0, 0);
    this.upload(gl.ARRAY_BUFFER, face);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.disableVertexAttribArray(2);
    if (tone) {
      this.upload(gl.ARRAY_BUFFER, tone);
      attribute(gl, 2, mesh.tones.length, gl.FLOAT, 0, 0);
    }
    this.upload(gl.ELEMENT_ARRAY_BUFFER, index);
    const shift = [...origin, ...origin, 0];
    for (const [array, ends] of /** @type {const} */ ([
      [this.lineArray, mesh.lines],
      [this.strokeArray, mesh.strokes],
    ])) {
      gl.bindVertexArray(array);
      this.upload(gl.ARRAY_BUFFER, Float32Array.from(ends, (number, k) => number - shift[k % 7]));
      for (const [location, size, at] of [[0, 3, 0], [1, 3, 12], [2, 1, 24]]) {
        attribute(gl, location, size, gl.FLOAT, 28, at);
        gl.vertexAttribDivisor(location, 1);
      }
    }
    gl.bindVertexArray(null);
    const bytes = new Uint8Array(mesh.scaleWords.buffer);
    gl.bindTexture(gl.TEXTURE_2D, this.scale);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  }

  /** @param {number} target @param {BufferSource} data */
  upload(target, data) {
    const { gl } = this;
    const buffer = /** @type {WebGLBuffer} */ (gl.createBuffer());
    gl.bindBuffer(target, buffer);
    gl.bufferData(target, data, gl.STATIC_DRAW);
    this.buffers.push(buffer);
  }

  /** @param {Projection} projection @param {Styles} styles
   * @param {number} pixels of this canvas, per pixel that widths are told in */
  draw(projection, styles, pixels) {
    const { gl } = this;
    const mesh = /** @type {Mesh} */ (this.mesh);
    const { width, height, scale } = projection;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    // the origin may be away from the middle
    const [right, up, near] = projection.rows(this.origin);
    const depth = 1.05 * (this.depth + Math.abs(near[3]) + 8 / scale);
    const factors = [(2 * scale) / width, (2 * scale) / height, -1 / depth];
    const rows = [...[right, up, near].map((row, k) => row.map((x) => x * factors[k])), [0, 0, 0, 1]];
    const matrix = Float32Array.from({ length: 16 }, (_, k) => rows[k % 4][k >> 2]);
    const facets = this.facetProgram(mesh.tones.length);
    gl.useProgram(facets);
    gl.uniformMatrix4fv(gl.getUniformLocation(facets, "matrix"), false, matrix);
    gl.uniform1f(gl.getUniformLocation(facets, "growth"), projection.growth);
    gl.bindTexture(gl.TEXTURE_2D, this.scale);
    gl.disable(gl.BLEND);
    gl.depthMask(true);
    gl.bindVertexArray(this.facetArray);
    gl.drawElements(gl.TRIANGLES, this.indices, gl.UNSIGNED_INT, 0);
    gl.useProgram(this.strokeProgram);
    const uniform = (/** @type {string} */ name) => gl.getUniformLocation(this.strokeProgram, name);
    gl.uniformMatrix4fv(uniform("matrix"), false, matrix);
    gl.uniform1f(uniform("pixels"), pixels);
    gl.uniform2f(uniform("size"), width / 2, height / 2);
    gl.uniform1f(uniform("nearer"), NEARER / scale / depth);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    this.drawStrokes(this.lineArray, mesh.lines, styles.lines);
    this.drawStrokes(this.strokeArray, mesh.strokes, styles.strokes);
    gl.depthMask(true);
    gl.bindVertexArray(null);
  }

  /** @param {WebGLVertexArrayObject | null} array @param {Float64Array} ends
   * @param {LineStyle[]} styles none leaves them out */
  drawStrokes(array, ends, styles) {
    if (!styles.length || !ends.length) return;
    const { gl } = this;
    const texels = new Float32Array(4 * STYLES);
    styles.slice(0, STYLES).forEach(({ color, thick, alpha }, k) => texels.set([color, alpha, thick, 0], 4 * k));
    gl.bindTexture(gl.TEXTURE_2D, this.styles);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, STYLES, 1, 0, gl.RGBA, gl.FLOAT, texels);
    gl.bindVertexArray(array);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, ends.length / 7);
  }

  /** @param {number} tones @returns {WebGLProgram} */
  facetProgram(tones) {
    const known = this.facetPrograms.get(tones);
    if (known) return known;
    const version = tones ? `300 es\n#define TONES ${tones}` : "300 es";
    const define = (/** @type {string} */ source) => source.replace("300 es", version);
    const made = program(this.gl, define(FACET), define(FACET_PIXEL));
    this.facetPrograms.set(tones, made);
    return made;
  }
}

/** Whether WebGL runs without a graphics card: browsers that do not say so name what draws instead. */
function inSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl && names ? String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return !gl || /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

/** Corners and triangles of all facets, and how far from the origin they reach.
 * @param {Mesh} mesh @param {[number, number, number]} origin */
function fans({ facets, face: faces, tones, relief }, [ox, oy, oz]) {
  const { n, first, x, y, h } = facets;
  const corners = x.length;
  const place = new Float32Array(3 * corners);
  const face = new Uint32Array(corners);
  const index = new Uint32Array(3 * (corners - 2 * n));
  let reach = 0;
  let at = 0;
  for (let f = 0; f < n; f++) {
    const begin = first[f];
    for (let k = begin; k < first[f + 1]; k++) {
      const [dx, dy, dz] = [x[k] - ox, y[k] - oy, relief.z(h[k]) - oz];
      place[3 * k] = dx;
      place[3 * k + 1] = dy;
      place[3 * k + 2] = dz;
      face[k] = faces[f];
      reach = Math.max(reach, Math.abs(dx) + Math.abs(dy) + Math.abs(dz));
      if (k < begin + 2) continue;
      index[at++] = begin;
      index[at++] = k - 1;
      index[at++] = k;
    }
  }
  const tone = tones.length ? new Float32Array(tones.length * corners) : null;
  if (tone) tones.forEach((row, k) => row.forEach((value, corner) => (tone[tones.length * corner + k] = value)));
  return { place, face, index, tone, reach };
}

/** @param {WebGL2RenderingContext} gl @param {number} location @param {number} size @param {number} type
 * @param {number} stride @param {number} at */
function attribute(gl, location, size, type, stride, at) {
  gl.enableVertexAttribArray(location);
  gl.vertexAttribPointer(location, size, type, false, stride, at);
}

/** @param {WebGL2RenderingContext} gl */
function texture(gl) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  return made;
}

/** @param {WebGL2RenderingContext} gl @param {string} vertex @param {string} pixel @returns {WebGLProgram} */
function program(gl, vertex, pixel) {
  const made = /** @type {WebGLProgram} */ (gl.createProgram());
  for (const [kind, source] of /** @type {const} */ ([[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, pixel]])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(`shaders: ${gl.getProgramInfoLog(made)}`);
  return made;
}
