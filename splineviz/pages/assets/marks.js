/** Marks above the cells: the window's outline, anchors, data, the cells at the cursor and pinned. */

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./view.js").View} View */

const INK = "#1a1a1a";
const PINNED = "#d100d1";
const DOUBTFUL = "#d95f02";
const MOST_DOUBTFUL = 2000;

/** @param {App} app @param {View} view @param {CanvasRenderingContext2D} context */
export function drawMarks(app, view, context) {
  const { scene, settings } = app;
  const { corner, extent } = view.panel.cells;
  const pixel = (/** @type {number} */ u, /** @type {number} */ v) =>
    view.pixel((u - corner[0]) / extent, (v - corner[1]) / extent);
  context.lineJoin = "round";
  if (view.surface) view.surface.drawAxis(context);
  else {
    const [first] = scene.window;
    outline(context, [[...scene.window, first].map(([u, v]) => pixel(u, v))], getComputedStyle(view.root).color, 1.2 * view.ratio);
  }
  if (scene.valid && !view.surface) veil(context, [scene.window, scene.valid].map((ring) => ring.map(([u, v]) => pixel(u, v))), view.ratio);
  const { doubtful } = view.panel.cells;
  for (const cell of doubtful.subarray(0, MOST_DOUBTFUL)) outlineCell(view, context, cell, DOUBTFUL);
  if (settings.data && scene.data) drawData(app, view, context, pixel);
  if (settings.anchors) for (const anchor of scene.anchors) drawAnchor(context, anchor, pixel(anchor.u, anchor.v), view.ratio);
  for (const [spot, color] of /** @type {const} */ ([[app.hovered, INK], [app.pinned, PINNED]])) {
    if (!spot) continue;
    const same = spot.panel === view.panel;
    if (same) outlineCell(view, context, spot.cell, color);
    else {
      const cell = view.panel.grid.locate(spot.x, spot.y);
      if (cell >= 0) outlineCell(view, context, cell, color);
      cross(context, view.pixel(spot.x, spot.y), color, view.ratio);
    }
  }
}

/** @param {View} view @param {CanvasRenderingContext2D} context @param {number} cell @param {string} color */
function outlineCell(view, context, cell, color) {
  const lines = view.outline(cell);
  outline(context, lines, "#ffffff", 4.5 * view.ratio);
  outline(context, lines, color, 2.2 * view.ratio);
}

/** @param {CanvasRenderingContext2D} context @param {[number, number][][]} lines @param {string} color @param {number} thick */
function outline(context, lines, color, thick) {
  context.beginPath();
  for (const line of lines) {
    // canvases narrow coordinates to single precision, so what is far outside is brought nearer
    line.forEach(([x, y], k) => (k ? context.lineTo(clamp(x), clamp(y)) : context.moveTo(clamp(x), clamp(y))));
  }
  context.lineCap = "round";
  context.strokeStyle = color;
  context.lineWidth = thick;
  context.stroke();
}

/** Veil what lies in the window and not in the part of it that is valid. @param {CanvasRenderingContext2D} context
 * @param {[number, number][][]} rings window and valid part @param {number} ratio */
function veil(context, [window, valid], ratio) {
  context.beginPath();
  for (const ring of [window, valid]) {
    ring.forEach(([x, y], k) => (k ? context.lineTo(clamp(x), clamp(y)) : context.moveTo(clamp(x), clamp(y))));
    context.closePath();
  }
  context.fillStyle = "rgba(255, 255, 255, 0.55)";
  context.fill("evenodd");
  context.setLineDash([5 * ratio, 4 * ratio]);
  if (valid.length) outline(context, [[...valid, valid[0]]], INK, ratio);
  context.setLineDash([]);
}

/** @param {number} pixel */
function clamp(pixel) {
  return Math.max(-1e5, Math.min(1e5, pixel));
}

/** @param {CanvasRenderingContext2D} context @param {[number, number]} at @param {string} color @param {number} ratio */
function cross(context, [x, y], color, ratio) {
  context.strokeStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  context.moveTo(x - 7 * ratio, y);
  context.lineTo(x + 7 * ratio, y);
  context.moveTo(x, y - 7 * ratio);
  context.lineTo(x, y + 7 * ratio);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {{letter: string}} anchor @param {[number, number]} at @param {number} ratio */
function drawAnchor(context, { letter }, [x, y], ratio) {
  if (!(Math.abs(x) < 1e5 && Math.abs(y) < 1e5)) return;
  context.beginPath();
  context.arc(x, y, 9 * ratio, 0, 2 * Math.PI);
  context.fillStyle = "#ffffff";
  context.fill();
  context.strokeStyle = INK;
  context.lineWidth = 1.3 * ratio;
  context.stroke();
  context.fillStyle = INK;
  context.font = `bold ${11 * ratio}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(letter, x, y);
}

/** Points of the data: the farther off the plane, the smaller and fainter. @param {App} app @param {View} view
 * @param {CanvasRenderingContext2D} context @param {(u: number, v: number) => [number, number]} pixel */
function drawData({ scene, palette }, view, context, pixel) {
  const data = /** @type {NonNullable<import("./panel.js").Scene["data"]>} */ (scene.data);
  let [near, far] = [Infinity, 0];
  for (const off of data.off) [near, far] = [Math.min(near, off), Math.max(far, off)];
  for (let k = 0; k < data.u.length; k++) {
    const [x, y] = pixel(data.u[k], data.v[k]);
    if (x < 0 || y < 0 || x > view.size[0] || y > view.size[1]) continue;
    const close = far > near ? (far - data.off[k]) / (far - near) : 1;
    context.globalAlpha = 0.35 + 0.6 * close;
    context.beginPath();
    context.arc(x, y, (2 + 2.2 * close) * view.ratio, 0, 2 * Math.PI);
    context.fillStyle = data.class ? palette.classes[data.class[k] % palette.classes.length] : INK;
    context.fill();
    context.strokeStyle = "#ffffff";
    context.lineWidth = 0.5 * view.ratio;
    context.stroke();
  }
  context.globalAlpha = 1;
}
