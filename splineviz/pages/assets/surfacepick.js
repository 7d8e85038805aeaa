/** The place of a graph that is seen at a pixel. */

/** @typedef {import("./surfaceshape.js").Facets} Facets */
/** @typedef {import("./surfacemesh.js").Relief} Relief */
/** @typedef {import("./surfaceorbit.js").Projection} Projection */

/** The place of the facet that is nearest to the eye at a pixel: only the facets above and below the line on the plane
 * that a ray through the pixel passes over are looked at.
 * @param {Facets} facets @param {Relief} relief @param {Projection} projection @param {number} px @param {number} py
 * @returns {[number, number] | null} */
export function pick(facets, relief, projection, px, py) {
  const { panel, box } = facets;
  const [x0, x1, y0, y1] = box ?? [0, 1, 0, 1];
  const ends = [relief.low, relief.high].map((height) => {
    const [dx, dy] = projection.placeAt(px, py, relief.z(height));
    return [projection.x + dx, projection.y + dy];
  });
  const line = clip(ends[0], ends[1], [Math.max(0, x0), Math.min(1, x1), Math.max(0, y0), Math.min(1, y1)]);
  if (!line) return null;
  const at = [(px - projection.width / 2) / projection.scale, (projection.height / 2 - py) / projection.scale];
  let nearest = -Infinity;
  /** @type {[number, number] | null} */
  let found = null;
  for (const cell of along(panel.grid, line[0], line[1])) {
    for (let f = facets.ofCell[cell]; f >= 0 && f < facets.n && facets.cell[f] === cell; f++) {
      const hit = meet(facets, relief, projection, f, at);
      if (!hit || hit[0] <= nearest) continue;
      nearest = hit[0];
      found = [hit[1], hit[2]];
    }
  }
  return found;
}

/** Depth and place of a facet at a point of the picture, by the triangle of its fan that holds it.
 * @param {Facets} facets @param {Relief} relief @param {Projection} projection @param {number} f
 * @param {number[]} at right and up, in places
 * @returns {[number, number, number] | null} */
function meet({ first, x, y, h }, relief, projection, f, [right, up]) {
  const place = (/** @type {number} */ k) => {
    const away = [x[k] - projection.x, y[k] - projection.y];
    return [...projection.seen(away[0], away[1], relief.z(h[k]) - projection.z), ...away];
  };
  const a = place(first[f]);
  let b = place(first[f] + 1);
  for (let k = first[f] + 2; k < first[f + 1]; k++) {
    const c = place(k);
    const area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
    const s = ((right - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (up - a[1])) / area;
    const t = ((b[0] - a[0]) * (up - a[1]) - (right - a[0]) * (b[1] - a[1])) / area;
    if (s >= 0 && t >= 0 && s + t <= 1) {
      const [depth, dx, dy] = [2, 3, 4].map((i) => a[i] + s * (b[i] - a[i]) + t * (c[i] - a[i]));
      return [depth, projection.x + dx, projection.y + dy];
    }
    b = c;
  }
  return null;
}

/** The part of a segment in a box. @param {number[]} a @param {number[]} b @param {number[]} box x0, x1, y0, y1
 * @returns {[number[], number[]] | null} */
function clip(a, b, box) {
  let [from, to] = [0, 1];
  for (const axis of [0, 1]) {
    const [low, high] = [box[2 * axis], box[2 * axis + 1]];
    const way = b[axis] - a[axis];
    if (way === 0) {
      if (a[axis] < low || a[axis] > high) return null;
      continue;
    }
    const [one, other] = [(low - a[axis]) / way, (high - a[axis]) / way];
    from = Math.max(from, Math.min(one, other));
    to = Math.min(to, Math.max(one, other));
  }
  if (from > to) return null;
  const at = (/** @type {number} */ t) =>
    [0, 1].map((axis) => Math.max(box[2 * axis], Math.min(box[2 * axis + 1], a[axis] + t * (b[axis] - a[axis]))));
  return [at(from), at(to)];
}

/** Cells of the buckets that a segment passes through, some more than once. @param {import("./grid.js").Grid} grid
 * @param {number[]} a @param {number[]} b */
function* along(grid, a, b) {
  const { side, start, list } = grid;
  const bucket = (/** @type {number} */ place) => Math.max(0, Math.min(side - 1, Math.floor(place * side)));
  const [i0, i1] = [bucket(Math.min(a[0], b[0])), bucket(Math.max(a[0], b[0]))];
  for (let i = i0; i <= i1; i++) {
    // what of the segment lies over this column of buckets
    const way = b[0] - a[0];
    const ys = [i / side, (i + 1) / side].map((x) => {
      const t = way === 0 ? NaN : Math.max(0, Math.min(1, (x - a[0]) / way));
      return a[1] + t * (b[1] - a[1]);
    });
    if (way === 0) [ys[0], ys[1]] = [a[1], b[1]];
    const reach = 1e-12;
    for (let j = bucket(Math.min(ys[0], ys[1]) - reach); j <= bucket(Math.max(ys[0], ys[1]) + reach); j++) {
      const at = j * side + i;
      for (let place = start[at]; place < start[at + 1]; place++) yield list[place];
    }
  }
}
