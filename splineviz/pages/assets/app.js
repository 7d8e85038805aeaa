/** What the page shows, and who is told when that changes. */

import { Camera, zoomOn } from "./camera.js";
import { fillOf, modes } from "./colors.js";
import { readPanel } from "./panel.js";
import { drawMarks } from "./marks.js";
import { Orbit } from "./surfaceorbit.js";
import { rangeOf } from "./surfaceshape.js";
import { View } from "./view.js";

/** @typedef {import("./panel.js").Panel} Panel */
/** @typedef {import("./panel.js").Scene} Scene */
/** @typedef {{panel: Panel, cell: number, x: number, y: number}} Spot a place, and the cell that holds it */
/**
 * @typedef {{color: string, edges: string, boundary: boolean, anchors: boolean, data: boolean, stage: number,
 *   frame: number, surface: boolean, output: string}} Settings
 * `stage` cells are those after it; `frame` of an animation; `surface` the graph of the function in 3-D; `output` of that:
 * the number of one, "margin" of the two largest, "margin-3" of one over its best rival, or "largest"
 */
/**
 * @typedef {{kind: "unit" | "region" | "class" | "stage" | "none", number: number, stage?: number, panel?: number}} Choice
 * what is highlighted: a unit by its number among all; or the cells of the linear region of a cell, of a class by the
 * number of its output on the page, or of the part of the window that held a cell after a `stage`; `panel` is the one
 * that numbers of cells and units are of
 */

export class App {
  /** @param {Scene} scene @param {import("./panel.js").Palette} palette */
  constructor(scene, palette) {
    this.scene = scene;
    this.palette = palette;
    /** @type {(Panel | undefined)[]} */
    this.panels = scene.panels.map(() => undefined);
    /** @type {View[]} */
    this.views = [];
    const [x, y, zoom] = this.overview();
    this.camera = new Camera(x, y, zoom);
    /** How the graph in 3-D is seen. */
    this.orbit = new Orbit();
    /** Whether WebGL draws it: where a graphics card helps, or anywhere, or never. @type {"fast" | "any" | "none"} */
    this.webgl = "fast";
    /** @type {Settings} */
    this.settings = {
      ...scene.view,
      stage: Math.max(0, ...scene.networks.map(({ stages }) => stages.length - 1)),
      frame: 0,
      surface: false,
      output: "0",
    };
    /** @type {Spot | null} */
    this.hovered = null;
    /** @type {Spot | null} */
    this.pinned = null;
    /** @type {Choice} */
    this.choice = { kind: "none", number: 0 };
    /** @type {{what: string, tell: () => void}[]} */
    this.listeners = [];
    this.pending = false;
    /** Ends of the scales that panels share, by colour. @type {Map<string, import("./colors.js").Scale | undefined>} */
    this.scales = new Map();
  }

  /** Camera on the whole window: x, y, zoom. @returns {[number, number, number]} */
  overview() {
    const { corner, extent } = this.scene.panels[0].card;
    const xs = this.scene.window.map(([u]) => (u - corner[0]) / extent);
    const ys = this.scene.window.map(([, v]) => (v - corner[1]) / extent);
    return [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2, 1];
  }

  /** Whether all panels are seen at once, and not one after the other. */
  get sideBySide() {
    return this.scene.kind !== "animation";
  }

  /** The panel that is looked at, of several the first. @returns {Panel} */
  get panel() {
    return /** @type {Panel} */ (this.panels[this.sideBySide ? 0 : this.settings.frame]);
  }

  /** Read what is needed, and show it. @param {HTMLElement} stage where the views stand */
  async open(stage) {
    const shown = this.sideBySide ? this.scene.panels.map((_, k) => k) : [this.settings.frame];
    // the last checkpoint of an animation has a say in the scales
    for (const k of [...shown, this.panels.length - 1]) this.panels[k] ??= await readPanel(this.scene, k, this.palette);
    this.views = shown.map((k) => new View(this, /** @type {Panel} */ (this.panels[k])));
    stage.replaceChildren(...this.views.map((view) => view.root));
    this.redraw();
  }

  /** Call when something changes: "settings", "hover", "pin", "choice", "camera" or "frame". @param {string} what @param {() => void} tell */
  on(what, tell) {
    this.listeners.push({ what, tell });
  }

  /** @param {string} what */
  changed(what) {
    for (const listener of this.listeners) if (listener.what === what) listener.tell();
    this.redraw();
  }

  /** Change some settings. @param {Partial<Settings>} settings */
  async set(settings) {
    const before = this.settings;
    this.settings = { ...before, ...settings };
    if (this.settings.frame !== before.frame) await this.showFrame();
    this.changed("settings");
  }

  /** Put the cells of the current frame into the view, and take what was hovered and pinned along. */
  async showFrame() {
    const { frame } = this.settings;
    this.panels[frame] ??= await readPanel(this.scene, frame, this.palette);
    if (frame !== this.settings.frame) return;
    this.views[0].show(this.panel);
    if (this.pinned) this.pinned = this.spot(this.panel, this.pinned.x, this.pinned.y);
    if (this.hovered) this.hovered = this.spot(this.panel, this.hovered.x, this.hovered.y);
    this.changed("frame");
  }

  /** @param {Panel} panel @param {number} x @param {number} y @returns {Spot | null} */
  spot(panel, x, y) {
    const cell = panel.grid.locate(x, y);
    return cell < 0 ? null : { panel, cell, x, y };
  }

  /** The place under the cursor. @param {View | null} view @param {number} x @param {number} y */
  hover(view, x, y) {
    this.hovered = view ? this.spot(view.panel, x, y) : null;
    this.changed("hover");
  }

  /** Pin the cell at a place; pinning it again lets it go. @param {View} view @param {number} x @param {number} y */
  pin(view, x, y) {
    const spot = this.spot(view.panel, x, y);
    const same = spot && this.pinned && spot.cell === this.pinned.cell && spot.panel === this.pinned.panel;
    this.pinned = same ? null : spot;
    this.changed("pin");
  }

  /** Pin a cell, and look at it from where it takes a third of the view. @param {Spot} spot */
  visit(spot) {
    const [x0, x1, y0, y1] = spot.panel.cells.box(spot.cell);
    this.pinned = spot;
    this.lookAt(spot.x, spot.y, zoomOn(Math.max(x1 - x0, y1 - y0), 1 / 3));
    this.changed("pin");
  }

  unpin() {
    this.pinned = null;
    this.choose({ kind: "none", number: 0 });
    this.changed("pin");
  }

  /** Highlight something. @param {Choice} choice */
  choose(choice) {
    this.choice = choice;
    this.changed("choice");
  }

  cameraMoved() {
    this.changed("camera");
  }

  /** @param {View} view @param {number} dx @param {number} dy */
  moveBy(view, dx, dy) {
    this.camera.pan(dx, dy, ...view.size);
    this.cameraMoved();
    this.hover(view, this.camera.x, this.camera.y);
  }

  home() {
    [this.camera.x, this.camera.y, this.camera.zoom] = this.overview();
    if (this.settings.surface) this.orbit.home();
    this.cameraMoved();
  }

  /** Look at a place. @param {number} x @param {number} y @param {number} zoom */
  lookAt(x, y, zoom) {
    [this.camera.x, this.camera.y, this.camera.zoom] = [x, y, zoom];
    this.cameraMoved();
  }

  /** Whether a setting can have a value. @param {"color" | "edges" | "stage" | "frame" | "output"} name @param {string} value */
  offers(name, value) {
    const whole = (/** @type {string} */ text, /** @type {number} */ end) => /^\d+$/.test(text) && Number(text) <= end;
    if (name === "color") return modes(this.panel).includes(value);
    if (name === "edges") return ["stage", "plain", "none"].includes(value) || (value === "kink" && this.panel.hasValues);
    if (name === "stage") return whole(value, Math.max(...this.scene.networks.map(({ stages }) => stages.length - 1)));
    if (name === "frame") return !this.sideBySide && whole(value, this.panels.length - 1);
    return this.panel.hasValues && (["margin", "largest"].includes(value) || whole(value.replace(/^margin-/, ""), this.panel.cells.values.length - 1));
  }

  /** Draw before the next frame of the screen. */
  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  }

  draw() {
    if (this.orbit.step(this.settings.surface, performance.now())) this.redraw();
    for (const view of this.views) view.draw(this.lookOf(view));
  }

  /** @param {View} view @returns {import("./picture.js").Look} */
  lookOf(view) {
    const { color, edges, boundary, stage } = this.settings;
    const chosen = view.panel.chosen(this.choice);
    return {
      color,
      edges,
      boundary,
      stage: Math.min(stage, view.panel.stages.last),
      scale: this.scaleOf(color),
      chosen: chosen.cells,
      lines: chosen.edges,
      pixelRatio: view.ratio,
    };
  }

  /** Ends of a scale that all panels share: from those that are there when it is first asked for.
   * @param {string} color @returns {import("./colors.js").Scale | undefined} */
  scaleOf(color) {
    if (this.panels.length < 2) return undefined;
    if (!this.scales.has(color)) {
      const found = this.panels.map((panel) => panel && panel.cells.n && fillOf(panel, color, panel.stages.last, undefined).scale);
      const ends = found.filter((scale) => !!scale);
      const low = Math.min(...ends.map((scale) => scale.low));
      const high = Math.max(...ends.map((scale) => scale.high));
      this.scales.set(color, ends.length ? { ...ends[0], low, high } : undefined);
    }
    return this.scales.get(color);
  }

  /** @param {View} view @param {CanvasRenderingContext2D} context */
  marks(view, context) {
    drawMarks(this, view, context);
  }

  /** Least and largest height of all panels that have been read. @param {string} output @returns {[number, number]} */
  heightRange(output) {
    const ranges = this.panels.flatMap((panel) => (panel?.hasValues ? [rangeOf(panel, output)] : []));
    return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
  }

  /** Whether a drag turns the surface, and does not move the camera. @param {View} view @param {PointerEvent} event @param {PointerEvent} before */
  surfaceKeepsPointer(view, event, before) {
    view.surface?.drag(event, before);
    return view.surface !== null;
  }
}
