/** Segments in buckets, so that the nearest one to a place is found by looking at few. */

import { segmentDistance2 } from "./cells.js";
import { nearestByRings } from "./grid.js";

const MOST_BUCKETS = 512;

export class SegmentGrid {
  /** @param {Float64Array} segments four coordinates of each, places from 0 to 1 */
  constructor(segments) {
    this.segments = segments;
    const n = segments.length / 4;
    /** Buckets along each side. */
    this.side = Math.max(1, Math.min(MOST_BUCKETS, Math.ceil(Math.sqrt(n))));
    const start = new Int32Array(this.side * this.side + 1);
    for (let k = 0; k < n; k++) this.eachBucket(k, (bucket) => start[bucket + 1]++);
    for (let bucket = 1; bucket < start.length; bucket++) start[bucket] += start[bucket - 1];
    const next = start.slice();
    this.start = start;
    this.list = new Int32Array(start[start.length - 1]);
    for (let k = 0; k < n; k++) this.eachBucket(k, (bucket) => (this.list[next[bucket]++] = k));
  }

  /** Buckets that the box of a segment meets. @param {number} k @param {(bucket: number) => void} visit */
  eachBucket(k, visit) {
    const [ax, ay, bx, by] = this.segments.subarray(4 * k, 4 * k + 4);
    const [i0, i1] = [this.bucket(Math.min(ax, bx)), this.bucket(Math.max(ax, bx))];
    const [j0, j1] = [this.bucket(Math.min(ay, by)), this.bucket(Math.max(ay, by))];
    for (let j = j0; j <= j1; j++) for (let i = i0; i <= i1; i++) visit(j * this.side + i);
  }

  /** @param {number} place */
  bucket(place) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(place * this.side)));
  }

  /** Distance of a place in the square to the nearest segment, Infinity if there is none. @param {number} x @param {number} y */
  distance(x, y) {
    return Math.sqrt(nearestByRings(this.side, x, y, (bucket, before2) => Math.min(before2, this.within(bucket, x, y))));
  }

  /** Squared distance to the nearest segment of a bucket. @param {number} bucket @param {number} x @param {number} y */
  within(bucket, x, y) {
    const s = this.segments;
    let best2 = Infinity;
    for (let place = this.start[bucket]; place < this.start[bucket + 1]; place++) {
      const k = 4 * this.list[place];
      best2 = Math.min(best2, segmentDistance2(x, y, s[k], s[k + 1], s[k + 2], s[k + 3]));
    }
    return best2;
  }
}
