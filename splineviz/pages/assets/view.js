/** The view of one panel: its canvases, and what mouse, touch and keys do to the camera. */

import { Picture } from "./picture.js";
import { Surface } from "./surface.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./panel.js").Panel} Panel */

const WHEEL = 0.0015;
const SETTLE = 90;
const PAN_KEYS = 60;

export class View {
  /** @param {App} app @param {Panel} panel */
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
    this.picture = new Picture(panel);
    this.root = document.createElement("figure");
    this.root.className = "view";
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "application");
    this.root.setAttribute("aria-roledescription", "picture of cells");
    this.caption = document.createElement("figcaption");
    this.base = /** @type {HTMLCanvasElement} */ (this.root.appendChild(document.createElement("canvas")));
    this.marks = /** @type {HTMLCanvasElement} */ (this.root.appendChild(document.createElement("canvas")));
    this.marks.className = "marks";
    /** Camera that the base canvas was drawn for. @type {import("./camera.js").Camera | null} */
    this.drawn = null;
    this.settle = 0;
    /** A sharp picture to stretch: what it shows, and the camera it was drawn for. */
    this.copy = document.createElement("canvas");
    /** @type {import("./camera.js").Camera | null} */
    this.copyOf = null;
    /** @type {Map<number, PointerEvent>} */
    this.pointers = new Map();
    this.moved = 0;
    /** The graph in 3-D, once it was shown. @type {Surface | null} */
    this.graph = null;
    this.name(panel);
    this.root.append(this.caption);
    this.listen();
    new ResizeObserver(() => this.app.redraw()).observe(this.root);
  }

  /** @param {Panel} panel */
  name(panel) {
    this.caption.textContent = panel.name;
    this.caption.hidden = this.app.scene.panels.length === 1;
    const arrows = this.surface ? "Arrow keys turn the graph, with shift they move it" : "Arrow keys move";
    const keys = `${arrows}, plus and minus zoom, Enter pins the cell in the middle.`;
    this.root.setAttribute("aria-label", `Cells of ${panel.name}. ${keys}`);
  }

  /** Show another panel on the same canvases. @param {Panel} panel */
  show(panel) {
    this.panel = panel;
    this.picture = new Picture(panel);
    this.drawn = null;
    this.name(panel);
  }

  /** The graph in 3-D while it is shown, also on the way there and back. @returns {Surface | null} */
  get surface() {
    if (this.app.orbit.share === 0 || !this.panel.hasValues) return null;
    this.graph ??= new Surface(this);
    return this.graph;
  }

  /** Device pixels per CSS pixel. */
  get ratio() {
    return Math.min(2, window.devicePixelRatio || 1);
  }

  /** Size in device pixels. @returns {[number, number]} */
  get size() {
    return [Math.max(1, Math.round(this.root.clientWidth * this.ratio)), Math.max(1, Math.round(this.root.clientHeight * this.ratio))];
  }

  listen() {
    const { root } = this;
    root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const delta = event.deltaMode === 1 ? 16 * event.deltaY : event.deltaY;
      this.zoom(Math.exp(-WHEEL * delta), ...this.at(event));
    }, { passive: false });
    root.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      root.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
      if (this.pointers.size === 1) this.moved = 0;
    });
    root.addEventListener("pointermove", (event) => this.move(event));
    root.addEventListener("pointerup", (event) => {
      if (!this.pointers.delete(event.pointerId)) return;
      if (this.moved < 5 && this.pointers.size === 0) this.app.pin(this, ...this.place(event));
    });
    root.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    root.addEventListener("pointerleave", () => this.app.hover(null, 0, 0));
    root.addEventListener("dblclick", (event) => this.zoom(3, ...this.at(event)));
    root.addEventListener("keydown", (event) => this.key(event));
  }

  /** Device pixel of an event. @param {MouseEvent} event @returns {[number, number]} */
  at(event) {
    const box = this.root.getBoundingClientRect();
    return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
  }

  /** Place under an event; not a number where the graph in 3-D has none. @param {MouseEvent} event @returns {[number, number]} */
  place(event) {
    if (this.surface) return this.surface.place(...this.at(event));
    return this.app.camera.place(...this.at(event), ...this.size);
  }

  /** Device pixel of a place. @param {number} x @param {number} y @returns {[number, number]} */
  pixel(x, y) {
    return this.surface ? this.surface.pixel(x, y) : this.app.camera.pixel(x, y, ...this.size);
  }

  /** Lines round a cell, in device pixels. @param {number} cell @returns {[number, number][][]} */
  outline(cell) {
    if (this.surface) return this.surface.outline(cell);
    const { cells } = this.panel;
    const corners = cells.corners.subarray(cells.first[cell], cells.first[cell + 1]);
    return [[...corners, corners[0]].map((vertex) => this.pixel(cells.x[vertex], cells.y[vertex]))];
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.app.hover(this, ...this.place(event));
      return;
    }
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (this.app.surfaceKeepsPointer(this, event, before)) {
      this.pointers.set(event.pointerId, event);
      return;
    }
    if (this.pointers.size === 2) {
      const other = /** @type {PointerEvent} */ ([...this.pointers.values()].find((one) => one.pointerId !== event.pointerId));
      const apart = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const [px, py] = this.at(event);
      const [qx, qy] = this.at(other);
      this.zoom(apart(event) / Math.max(1, apart(before)), (px + qx) / 2, (py + qy) / 2);
    }
    this.app.camera.pan((dx * this.ratio) / this.pointers.size, (dy * this.ratio) / this.pointers.size, ...this.size);
    this.pointers.set(event.pointerId, event);
    this.app.cameraMoved();
  }

  /** @param {number} factor @param {number} px @param {number} py */
  zoom(factor, px, py) {
    if (this.surface) {
      this.surface.zoomAt(factor, px, py);
      return;
    }
    this.app.camera.zoomAt(factor, px, py, ...this.size);
    this.app.cameraMoved();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.surface?.key(event)) {
      event.preventDefault();
      return;
    }
    const [width, height] = this.size;
    const by = PAN_KEYS * this.ratio * (event.shiftKey ? 4 : 1);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => this.app.moveBy(this, by, 0),
      ArrowRight: () => this.app.moveBy(this, -by, 0),
      ArrowUp: () => this.app.moveBy(this, 0, by),
      ArrowDown: () => this.app.moveBy(this, 0, -by),
      "+": () => this.zoom(1.5, width / 2, height / 2),
      "=": () => this.zoom(1.5, width / 2, height / 2),
      "-": () => this.zoom(1 / 1.5, width / 2, height / 2),
      "0": () => this.app.home(),
      Home: () => this.app.home(),
      Enter: () => this.app.pin(this, this.app.camera.x, this.app.camera.y),
      " ": () => this.app.pin(this, this.app.camera.x, this.app.camera.y),
      Escape: () => this.app.unpin(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** Show what the camera sees: at once by stretching what is there where that is slow, and sharp a moment later.
   * @param {import("./picture.js").Look} look */
  draw(look) {
    const [width, height] = this.size;
    const resized = this.base.width !== width || this.base.height !== height;
    if (resized) [this.base.width, this.base.height, this.marks.width, this.marks.height] = [width, height, width, height];
    const { surface } = this;
    if (this.base.hidden !== !!surface) {
      this.base.hidden = !!surface;
      this.name(this.panel);
    }
    if (this.graph) this.graph.canvas.hidden = !surface;
    if (surface) {
      surface.draw(look);
      this.root.dataset.drawn = "";
      this.drawMarks();
      return;
    }
    const { camera } = this.app;
    const slow = this.panel.cells.n > 30000;
    if (slow && !resized && this.drawn && this.drawn.zoom !== camera.zoom) {
      this.stretch(camera, width, height);
      clearTimeout(this.settle);
      this.settle = window.setTimeout(() => this.sharp(look), SETTLE);
    } else {
      this.sharp(look);
    }
    this.drawMarks();
  }

  /** @param {import("./picture.js").Look} look */
  sharp(look) {
    clearTimeout(this.settle);
    const [width, height] = this.size;
    const { camera } = this.app;
    if (this.picture.draw(camera, look, width, height) > 0 || !this.drawn) {
      /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d")).putImageData(this.picture.raster.image, 0, 0);
    }
    this.drawn = camera.copy();
    this.root.dataset.drawn = "";
  }

  /** The last sharp picture, moved and scaled to where the camera is now. @param {import("./camera.js").Camera} camera @param {number} width @param {number} height */
  stretch(camera, width, height) {
    const last = /** @type {import("./camera.js").Camera} */ (this.picture.camera);
    const { image } = this.picture.raster;
    if (this.copyOf !== last) {
      [this.copy.width, this.copy.height] = [image.width, image.height];
      /** @type {CanvasRenderingContext2D} */ (this.copy.getContext("2d")).putImageData(image, 0, 0);
      this.copyOf = last;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d"));
    const factor = camera.zoom / last.zoom;
    const [left, top] = camera.pixel(...last.place(0, 0, width, height), width, height);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = factor < 1;
    context.drawImage(this.copy, left, top, width * factor, height * factor);
  }

  /** Canvases that lie over each other. @returns {HTMLCanvasElement[]} */
  layers() {
    return [this.surface?.sharp(this.app.lookOf(this)) ?? this.base, this.marks];
  }

  /** Marks above the cells: the window's outline, anchors, data, and the cells at the cursor and pinned. */
  drawMarks() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.marks.getContext("2d"));
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    this.app.marks(this, context);
  }
}
