/** All that the page knows about a cell, as JSON in full precision. */

import { className, factsOf } from "./spot_facts.js";

/** @typedef {import("./app.js").Spot} Spot */

/** A cell and its outputs at the spot; affine maps are [a, b, c] of a * u + b * v + c. @param {Spot} spot */
export function cellData(spot) {
  const { panel, cell } = spot;
  const { cells, stages, network } = panel;
  const facts = factsOf(spot);
  const corners = Array.from(cells.corners.subarray(cells.first[cell], cells.first[cell + 1]));
  return {
    network: panel.name,
    cell,
    uv: facts.uv,
    corners: corners.map((vertex) => cells.uv(cells.x[vertex], cells.y[vertex])),
    area: facts.area,
    stage: facts.stage,
    pattern_hash_begins: facts.hash,
    in_doubt: facts.doubtful,
    units_on: stages.stages.map(({ name, units }, k) => ({ stage: k, name, on: facts.on[k], units })),
    linear_region: facts.region,
    norm: facts.norm,
    class: facts.class === null ? null : className(panel, facts.class),
    outputs: network.outputs.map(({ index, name }, k) => ({ index, name, value: facts.outputs[k], affine: affine(spot, k) })),
    sides: sidesOf(spot).map(({ edge, units, kink }) => ({
      corners: [cells.edgeFrom[edge], cells.edgeTo[edge]].map((vertex) => cells.uv(cells.x[vertex], cells.y[vertex])),
      rim: cells.edgeCells[2 * edge + 1] < 0,
      units: units.map((unit) => {
        const [stage, within] = stages.place(unit);
        return { stage, unit: within, name: stages.unitName(unit) };
      }),
      kink,
    })),
    nearest_edge: { distance: facts.edgeDistance, units: facts.units.map((unit) => stages.unitName(unit)) },
  };
}

/** Sides of a cell, counter-clockwise: edge, units that change there, and kink. @param {Spot} spot */
export function sidesOf({ panel, cell }) {
  const { first, sideEdge } = panel.cells;
  return Array.from(sideEdge.subarray(first[cell], first[cell + 1]), (edge) => ({
    edge,
    units: panel.stages.unitsOf(edge),
    kink: panel.jump(edge),
  }));
}

/** Output k of a cell as a function of uv. @param {Spot} spot @param {number} k @returns {[number, number, number]} */
function affine({ panel, cell }, k) {
  const { extent, corner } = panel.cells;
  const { base, slopeX, slopeY, x, y } = panel.maps.take(cell);
  const [a, b] = [slopeX[k] / extent, slopeY[k] / extent];
  return [a, b, base[k] - a * (corner[0] + extent * x) - b * (corner[1] + extent * y)];
}
