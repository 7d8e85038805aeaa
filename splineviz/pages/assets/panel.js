/** One panel: the cells of a network, or of a checkpoint, with all that is worked out from them once it is asked for. */

import { fromBase64, inflate } from "./bytes.js";
import { Cells } from "./cells.js";
import { chosen } from "./choices.js";
import { Decisions } from "./decisions.js";
import { Grid } from "./grid.js";
import { Stages } from "./stages.js";
import { Maps } from "./values.js";

/** @typedef {import("./stages.js").Network} Network */
/**
 * @typedef {{kind: "slice" | "comparison" | "animation", title: string, note: string | null, warnings: string[],
 *   networks: Network[], level: number, window: [number, number][],
 *   anchors: {u: number, v: number, letter: string, caption: string}[],
 *   data: null | {u: number[], v: number[], off: number[], class: number[] | null},
 *   input: null | {kind: "image" | "curve" | "table", shape: number[], origin: string, u: string, v: string, low: number, high: number},
 *   palette: {scale: string, fills: string[], lines: string[], classes: string[], boundary: string},
 *   view: {color: string, edges: string, boundary: boolean, anchors: boolean, data: boolean},
 *   panels: {name: string, network: number, cells_per_stage: number[], status: string, proven: string, card: import("./cells.js").CellsCard}[],
 *   valid: null | [number, number][], strip: null | {steps: number[], seconds: number[], series: Series[]}}} Scene
 */
/** @typedef {{chart: string, label: string, values: (number | null)[]}} Series numbers of the checkpoints, of one kind with those of the same `chart` */
/** @typedef {Scene["palette"] & {scaleWords: Uint32Array}} Palette */

export class Panel {
  /** @param {Scene} scene @param {number} index @param {Cells} cells @param {Palette} palette */
  constructor(scene, index, cells, palette) {
    const { name, network, cells_per_stage, status, proven } = scene.panels[index];
    this.scene = scene;
    this.index = index;
    this.name = name;
    this.status = status;
    this.proven = proven;
    this.cellsPerStage = cells_per_stage;
    this.network = scene.networks[network];
    this.cells = cells;
    this.palette = palette;
    this.stages = new Stages(cells, this.network);
    this.grid = new Grid(cells);
    this.maps = new Maps(cells);
    /** @type {Map<string, any>} */
    this.known = new Map();
  }

  /** @template T @param {string} what @param {() => T} find @returns {T} */
  once(what, find) {
    if (!this.known.has(what)) this.known.set(what, find());
    return this.known.get(what);
  }

  get hasValues() {
    return this.cells.values.length > 0;
  }

  /** Classes and the decision boundary. */
  decisions() {
    return this.once("decisions", () => new Decisions(this.cells, this.scene.level));
  }

  /** @returns {Float64Array} */
  areas() {
    return this.once("areas", () => Float64Array.from({ length: this.cells.n }, (_, cell) => this.cells.area(cell)));
  }

  /** Norms of the maps on the slice. @returns {Float64Array | Float32Array} */
  norms() {
    return this.cells.given.norm ?? this.once("norms", () => this.eachMap((maps) => maps.normAndVolume()[0]));
  }

  /** @returns {Float64Array | Float32Array} */
  volumes() {
    return this.cells.given.volume ?? this.once("volumes", () => this.eachMap((maps) => maps.normAndVolume()[1]));
  }

  /** @param {(maps: Maps) => number} of */
  eachMap(of) {
    const maps = new Maps(this.cells);
    return Float64Array.from({ length: this.cells.n }, (_, cell) => of(maps.take(cell)));
  }

  /** Jump of the map across each edge, 0 on the rim. @returns {Float64Array | Float32Array} */
  jumps() {
    return this.cells.given.jump ?? this.once("jumps", () => this.findJumps());
  }

  findJumps() {
    const [one, other] = [new Maps(this.cells), new Maps(this.cells)];
    return Float64Array.from({ length: this.cells.nEdges }, (_, edge) => this.findJump(edge, one, other));
  }

  /** Jump of the map across one edge, 0 on the rim; null where that is not known. @param {number} edge @returns {number | null} */
  jump(edge) {
    const all = this.cells.given.jump ?? this.known.get("jumps");
    if (all) return all[edge];
    return this.hasValues ? this.findJump(edge, new Maps(this.cells), new Maps(this.cells)) : null;
  }

  /** Length of the difference of the maps on both sides of an edge. @param {number} edge @param {Maps} one @param {Maps} other to work with */
  findJump(edge, one, other) {
    const { cells } = this;
    if (cells.edgeCells[2 * edge + 1] < 0 || (cells.bends && !cells.bends[edge])) return 0;
    one.take(cells.edgeCells[2 * edge]);
    other.take(cells.edgeCells[2 * edge + 1]);
    let sum = 0;
    for (let k = 0; k < one.outputs; k++) {
      sum += (one.slopeX[k] - other.slopeX[k]) ** 2 + (one.slopeY[k] - other.slopeY[k]) ** 2;
    }
    return Math.sqrt(sum) / cells.extent;
  }

  /** Cells that stand out and edges that are drawn on top by a choice. @param {import("./app.js").Choice} choice
   * @returns {{cells: Uint8Array | null, edges: number[]}} */
  chosen(choice) {
    return this.once(`chosen ${choice.kind} ${choice.number} ${choice.stage ?? ""} ${choice.panel ?? ""}`, () => chosen(this, choice));
  }

  /** Largest jump at a side of each cell. @returns {Float64Array} */
  kinks() {
    return this.once("kinks", () => {
      const jumps = this.jumps();
      const { first, sideEdge, n } = this.cells;
      return Float64Array.from({ length: n }, (_, cell) => {
        let largest = 0;
        for (let side = first[cell]; side < first[cell + 1]; side++) largest = Math.max(largest, jumps[sideEdge[side]]);
        return largest;
      });
    });
  }
}

/** The scene of this page. @returns {Scene} */
export function readScene() {
  return JSON.parse(document.getElementById("scene")?.textContent ?? "null");
}

/** @param {Scene} scene @returns {Palette} */
export function readPalette(scene) {
  const bytes = fromBase64(scene.palette.scale);
  const scaleWords = new Uint32Array(256);
  for (let k = 0; k < 256; k++) {
    scaleWords[k] = (255 << 24) | (bytes[3 * k + 2] << 16) | (bytes[3 * k + 1] << 8) | bytes[3 * k];
  }
  return { ...scene.palette, scaleWords };
}

/** Read the cells of a panel, which the page holds as text. @param {Scene} scene @param {number} index @param {Palette} palette */
export async function readPanel(scene, index, palette) {
  const text = document.getElementById(`cells-${index}`)?.textContent ?? "";
  const cells = new Cells(await inflate(fromBase64(text.trim())), scene.panels[index].card);
  return new Panel(scene, index, cells, palette);
}

