/** The graph of the function in the view of one panel: its canvas, what is drawn there, and what lies under a pixel. */

import { lineWidth, identity } from "./picture.js";
import { pack } from "./colors.js";
import { drawAxis } from "./surfaceaxes.js";
import { SurfaceGl } from "./surfacegl.js";
import { Mesh, Relief } from "./surfacemesh.js";
import { Projection } from "./surfaceorbit.js";
import { pick } from "./surfacepick.js";
import { SurfaceRaster } from "./surfaceraster.js";
import { Facets, heightName, heightOf } from "./surfaceshape.js";
import { Maps } from "./values.js";

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./picture.js").Look} Look */
/** @typedef {import("./surfaceshape.js").PlaceBox} PlaceBox */

/** Above this zoom only what is near is drawn, cut off in double precision. */
const FAR = 300;
/** How far that reaches, in radii of the view. */
const REACH = 16;
/** A frame that takes longer, in milliseconds, makes the next ones coarse and without lines, as long as things move. */
const SLOW = 45;
const COARSE = 2;
const SETTLED = 140;
const TURN_PER_PIXEL = 0.008;
const TURN_PER_KEY = Math.PI / 36;
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const PAN_PER_KEY = 60;

export class Surface {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "surface";
    view.base.after(this.canvas);
    this.renderer = this.choose();
    /** @type {Facets | null} */
    this.facets = null;
    this.facetsKey = "";
    /** @type {Mesh | null} */
    this.mesh = null;
    this.meshKey = "";
    /** Zoom that a box of facets was made for. */
    this.zoom = 1;
    /** @type {Projection | null} */
    this.projection = null;
    this.drawnKey = "";
    this.relief = new Relief([0, 1]);
    this.maps = new Maps(view.panel.cells);
    /** Whether frames take long. */
    this.coarse = false;
    this.settle = 0;
  }

  /** WebGL where the app wants it, else scanlines. @returns {SurfaceGl | SurfaceRaster} */
  choose() {
    const { webgl } = this.app;
    const gl = webgl === "none" ? null : SurfaceGl.on(this.canvas, webgl === "fast");
    if (gl) {
      this.canvas.addEventListener("webglcontextlost", () => {
        this.app.webgl = "none";
        this.remove();
        this.app.redraw();
      });
    }
    return gl ?? new SurfaceRaster(this.canvas);
  }

  get panel() {
    return this.view.panel;
  }

  get app() {
    return this.view.app;
  }

  /** Outline of the window in places. @returns {[number, number][]} */
  get window() {
    const { corner, extent } = this.panel.cells;
    return this.app.scene.window.map(([u, v]) => [(u - corner[0]) / extent, (v - corner[1]) / extent]);
  }

  /** Height in places of the graph at a place, the foot outside. @param {number} x @param {number} y */
  z(x, y) {
    const cell = this.panel.grid.locate(x, y);
    if (cell < 0) return this.relief.z(this.relief.low);
    if (this.maps.cells !== this.panel.cells) this.maps = new Maps(this.panel.cells);
    const values = this.maps.take(cell).all(x, y);
    if (values.length === 1) values.unshift(this.app.scene.level);
    return this.relief.z(heightOf(this.panel, this.app.settings.output)(values));
  }

  /** The projection for where the camera is: its middle is that of the heights when all is seen, and on the graph when
   * little is. @param {number} coarse how many pixels become one */
  project(coarse) {
    const { camera, orbit } = this.app;
    const [width, height] = this.view.size.map((size) => Math.max(1, Math.round(size / coarse)));
    const near = 1 - Math.min(1, 1 / camera.zoom ** 2);
    const z = near && this.panel.grid.locate(camera.x, camera.y) >= 0 ? near * this.z(camera.x, camera.y) : 0;
    return new Projection(camera, orbit, width, height, z);
  }

  /** Draw what the camera sees, if that is not what is there. @param {Look} look */
  draw(look) {
    const { camera, settings } = this.app;
    this.relief = new Relief(this.app.heightRange(settings.output));
    const built = this.build(look);
    const [width, height] = this.view.size;
    const frame = getComputedStyle(this.view.root).color;
    const projection = this.project(1);
    const widest = lineWidth(this.panel, camera, width, height, look.pixelRatio, projection.shrink);
    const key = [projection.key, this.meshKey, look.pixelRatio, frame].join();
    this.projection = projection;
    if (key === this.drawnKey) return;
    this.drawnKey = key;
    const styles = /** @type {Mesh} */ (this.mesh).styles(look, widest, packed(frame), projection.growth);
    clearTimeout(this.settle);
    if (this.coarse) {
      this.renderer.draw(this.project(COARSE), { ...styles, lines: [] }, 1 / COARSE);
      this.settle = window.setTimeout(() => this.renderer.draw(projection, styles, 1), SETTLED);
    } else {
      const start = performance.now();
      this.renderer.draw(projection, styles, 1);
      if (!built) requestAnimationFrame(() => (this.coarse ||= performance.now() - start > SLOW));
    }
  }

  /** Make the mesh anew where what it shows has changed: returns whether. @param {Look} look */
  build(look) {
    const { panel } = this;
    const { camera, settings } = this.app;
    const fill = this.view.picture.colors(look);
    const shape = { byClass: fill.pixels === "class", tones: fill.pixels === "value" ? panel.cells.values.length : 0 };
    const facetsKey = [settings.output, shape.byClass, shape.tones, identity(panel)].join();
    if (facetsKey !== this.facetsKey || !this.near()) {
      this.facets = new Facets(panel, settings.output, shape, this.box());
      [this.facetsKey, this.zoom] = [facetsKey, camera.zoom];
    }
    const { chosen, lines, pixelRatio: _, ...rest } = look;
    const meshKey = [this.facets, fill, chosen, lines, this.relief.low, this.relief.high].map((part) =>
      typeof part === "number" ? part : identity(part),
    ).join() + JSON.stringify(rest);
    if (meshKey === this.meshKey) return false;
    this.meshKey = meshKey;
    this.mesh = new Mesh(/** @type {Facets} */ (this.facets), this.relief, look, fill, this.window);
    this.renderer.load(this.mesh, [camera.x, camera.y, this.project(1).z]);
    return true;
  }

  /** Whether the facets that are there suffice for what the camera sees. */
  near() {
    const { camera } = this.app;
    const box = this.facets?.box ?? null;
    if (!box) return camera.zoom <= FAR;
    const half = (box[1] - box[0]) / 2;
    const away = Math.max(Math.abs(camera.x - box[0] - half), Math.abs(camera.y - box[2] - half));
    return camera.zoom > FAR && away < half / 2 && camera.zoom < 4 * this.zoom && camera.zoom > this.zoom / 2;
  }

  /** @returns {PlaceBox | null} */
  box() {
    const { camera } = this.app;
    if (camera.zoom <= FAR) return null;
    const [width, height] = this.view.size;
    const half = (REACH * Math.max(width, height)) / 2 / camera.scale(width, height);
    return [camera.x - half, camera.x + half, camera.y - half, camera.y + half];
  }

  /** Canvas with a sharp picture of now, to be read before the browser draws. @param {Look} look */
  sharp(look) {
    this.drawnKey = "";
    this.coarse = false;
    this.draw(look);
    return this.canvas;
  }

  /** The axis, on the canvas of marks. @param {CanvasRenderingContext2D} context */
  drawAxis(context) {
    if (!this.projection) return;
    const { color, backgroundColor } = getComputedStyle(this.view.root);
    const name = heightName(this.panel, this.app.settings.output);
    drawAxis(context, this.projection, this.relief, this.window, name, this.view.ratio, color, backgroundColor);
  }

  /** Place of the graph under a pixel; not a number where there is none. @param {number} px @param {number} py
   * @returns {[number, number]} */
  place(px, py) {
    if (!this.projection || !this.facets) return [NaN, NaN];
    return pick(this.facets, this.relief, this.projection, px, py) ?? [NaN, NaN];
  }

  /** Pixel of the graph at a place. @param {number} x @param {number} y @returns {[number, number]} */
  pixel(x, y) {
    return (this.projection ?? this.project(1)).pixel(x, y, this.z(x, y));
  }

  /** Outline of a cell on the graph, in pixels, as it bends. @param {number} cell
   * @returns {[number, number][][]} pieces of it */
  outline(cell) {
    const { facets, projection, relief } = this;
    const found = [];
    if (!facets || !projection) return [];
    for (let f = facets.ofCell[cell]; f >= 0 && f < facets.n && facets.cell[f] === cell; f++) {
      const [begin, end] = [facets.first[f], facets.first[f + 1]];
      for (let side = begin; side < end; side++) {
        if (facets.edge[side] < 0) continue;
        const ends = [side, facets.after[side]];
        found.push(ends.map((k) => projection.pixel(facets.x[k], facets.y[k], relief.z(facets.h[k]))));
      }
    }
    return found;
  }

  /** Turn, or with a shift key or two fingers move and zoom. @param {PointerEvent} event
   * @param {PointerEvent} before */
  drag(event, before) {
    const { view, app } = this;
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    const fingers = view.pointers.size;
    if (fingers < 2 && !event.shiftKey) {
      app.orbit.rotate(dx * TURN_PER_PIXEL, -dy * TURN_PER_PIXEL);
      app.cameraMoved();
      return;
    }
    const other = [...view.pointers.values()].find((one) => one.pointerId !== event.pointerId);
    if (other) {
      const [px, py] = view.at(event);
      const [qx, qy] = view.at(other);
      const [bx, by] = view.at(before);
      const factor = Math.hypot(px - qx, py - qy) / Math.max(1, Math.hypot(bx - qx, by - qy));
      this.zoomAt(factor, (px + qx) / 2, (py + qy) / 2);
    }
    this.pan((dx * view.ratio) / fingers, (dy * view.ratio) / fingers);
  }

  /** Move the camera by pixels along the plane. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    const { camera } = this.app;
    const projection = this.project(1);
    const [x, y] = projection.placeAt(projection.width / 2 - dx, projection.height / 2 - dy, projection.z);
    camera.x += x;
    camera.y += y;
    camera.keepInside();
    this.app.cameraMoved();
  }

  /** Zoom about what is seen at a pixel. @param {number} factor @param {number} px @param {number} py */
  zoomAt(factor, px, py) {
    const { camera } = this.app;
    const [x, y] = this.place(px, py);
    const before = camera.zoom;
    const [width, height] = this.view.size;
    camera.zoomAt(factor, width / 2, height / 2, width, height);
    if (Number.isFinite(x)) {
      camera.x = x + ((camera.x - x) * before) / camera.zoom;
      camera.y = y + ((camera.y - y) * before) / camera.zoom;
      camera.keepInside();
    }
    this.app.cameraMoved();
  }

  /** Whether a key was one of those that turn, or move with the shift key. @param {KeyboardEvent} event */
  key(event) {
    const way = WAYS[event.key];
    if (!way) return false;
    if (event.shiftKey) this.pan(PAN_PER_KEY * this.view.ratio * way[0], PAN_PER_KEY * this.view.ratio * way[1]);
    else {
      this.app.orbit.rotate(way[0] * TURN_PER_KEY, -way[1] * TURN_PER_KEY);
      this.app.cameraMoved();
    }
    return true;
  }

  /** Take the canvas away; the view makes another one. */
  remove() {
    clearTimeout(this.settle);
    this.canvas.remove();
    this.view.graph = null;
  }
}

/** 0xbbggrr of a computed colour, "rgb(r, g, b)". @param {string} color */
function packed(color) {
  const [red, green, blue] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return blue === undefined ? pack("#1a1a1a") & 0xffffff : (blue << 16) | (green << 8) | red;
}
