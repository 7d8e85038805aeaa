/** The view as a file: a PNG of what is seen, or an SVG of the shapes. */

import { unpack } from "./colors.js";
import { MIXED } from "./decisions.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./view.js").View} View */

/** Number of cells up to which a view is written as shapes. */
export const MOST_SHAPES = 100000;

/** All views side by side, on white. @param {App} app @returns {HTMLCanvasElement} */
export function picture(app) {
  const canvas = document.createElement("canvas");
  canvas.width = app.views.reduce((sum, view) => sum + view.size[0], 0);
  canvas.height = Math.max(...app.views.map((view) => view.size[1]));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  let left = 0;
  for (const view of app.views) {
    if (view.surface) {
      // its axis has the ink of the page
      context.fillStyle = getComputedStyle(view.root).backgroundColor;
      context.fillRect(left, 0, ...view.size);
    }
    for (const layer of view.layers()) context.drawImage(layer, left, 0);
    left += view.size[0];
  }
  return canvas;
}

/** @param {App} app */
export function savePng(app) {
  picture(app).toBlob((blob) => blob && download(blob, `${fileName(app)}.png`));
}

/** @param {App} app @returns {string} why there is none, or nothing */
export function saveSvg(app) {
  if (app.settings.surface) return "shapes are those of the flat picture: switch 3-D off, or take the PNG";
  const text = svg(app);
  if (!text) return `more than ${MOST_SHAPES.toLocaleString("en-US")} cells are in view: zoom in, or take the PNG`;
  download(new Blob([text], { type: "image/svg+xml" }), `${fileName(app)}.svg`);
  return "";
}

/** The views as shapes; empty where there are too many. @param {App} app @returns {string} */
export function svg(app) {
  const parts = [];
  let [left, height] = [0, 0];
  for (const view of app.views) {
    const shapes = shapesOf(app, view);
    if (!shapes) return "";
    const [wide, tall] = view.size;
    parts.push(`<svg x="${left}" width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}">${shapes}</svg>`);
    left += wide;
    height = Math.max(height, tall);
  }
  const title = `<title>${escaped(app.scene.title)}</title>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left} ${height}" width="${left}" height="${height}">${title}${parts.join("")}</svg>`;
}

/** @param {App} app @param {View} view */
function shapesOf(app, view) {
  const { panel, picture } = view;
  const { cells, stages, palette } = panel;
  const look = app.lookOf(view);
  const size = view.size;
  const seen = panel.grid.within(app.camera.seen(...size));
  if (seen.length > MOST_SHAPES) return "";
  const fill = picture.colors(look);
  const point = (/** @type {number} */ x, /** @type {number} */ y) =>
    app.camera.pixel(x, y, ...size).map((pixel) => Number(pixel.toFixed(2))).join(",");
  const path = (/** @type {{x: number, y: number}[]} */ corners) => `M${corners.map(({ x, y }) => point(x, y)).join("L")}Z`;
  const found = [];
  const drawn = new Set();
  for (const cell of seen) {
    const corners = Array.from(cells.corners.subarray(cells.first[cell], cells.first[cell + 1]), (vertex) => ({ x: cells.x[vertex], y: cells.y[vertex] }));
    const mixed = fill.pixels === "class" && panel.decisions().ofCell[cell] === MIXED;
    const shapes = mixed
      ? panel.decisions().pieces(cell).map(({ winner, piece }) => ({ corners: piece, color: palette.classes[winner] }))
      : [{ corners, color: unpack(fill.packed[cell]) }];
    for (const { corners: ring, color } of shapes) found.push(`<path d="${path(ring)}" fill="${color}" stroke="${color}" stroke-width=".3"/>`);
  }
  if (look.edges !== "none") {
    for (const cell of seen) {
      for (let side = cells.first[cell]; side < cells.first[cell + 1]; side++) {
        const edge = cells.sideEdge[side];
        const stage = stages.ofEdge[edge];
        if (drawn.has(edge) || stage < 0 || stage > look.stage) continue;
        drawn.add(edge);
        const [a, b] = [cells.edgeFrom[edge], cells.edgeTo[edge]];
        const color = look.edges === "stage" ? palette.lines[stage] : "#1a1a1a";
        found.push(`<path d="M${point(cells.x[a], cells.y[a])}L${point(cells.x[b], cells.y[b])}" stroke="${color}" stroke-width="${picture.widest.toFixed(2)}" fill="none" stroke-linecap="round"/>`);
      }
    }
  }
  if (look.boundary && panel.hasValues && look.stage >= stages.last) {
    const { segments: s, first } = panel.decisions();
    for (const cell of seen) {
      for (let k = 4 * first[cell]; k < 4 * first[cell + 1]; k += 4) {
        found.push(`<path d="M${point(s[k], s[k + 1])}L${point(s[k + 2], s[k + 3])}" stroke="${palette.boundary}" stroke-width="${1.7 * view.ratio}" fill="none" stroke-linecap="round"/>`);
      }
    }
  }
  const { corner, extent } = cells;
  const ring = app.scene.window.map(([u, v]) => ({ x: (u - corner[0]) / extent, y: (v - corner[1]) / extent }));
  found.push(`<path d="${path(ring)}" fill="none" stroke="#1a1a1a" stroke-width="${1.2 * view.ratio}"/>`);
  if (app.settings.anchors) {
    for (const { u, v, letter } of app.scene.anchors) {
      const [x, y] = app.camera.pixel((u - corner[0]) / extent, (v - corner[1]) / extent, ...size);
      const radius = 9 * view.ratio;
      found.push(`<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}" fill="#fff" stroke="#1a1a1a"/>`);
      found.push(`<text x="${x.toFixed(1)}" y="${(y + 0.4 * radius).toFixed(1)}" font-family="sans-serif" font-size="${1.2 * radius}" text-anchor="middle">${escaped(letter)}</text>`);
    }
  }
  return found.join("\n");
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** @param {App} app */
function fileName({ scene }) {
  return scene.title.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "slice";
}

/** Text within an XML file. @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
