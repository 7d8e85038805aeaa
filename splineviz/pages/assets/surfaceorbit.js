/** From which side the graph of a function is seen, and how far the picture has come on the way between flat and
 * 3-D. The projection is parallel: straight from above, and without heights, it is that of the flat picture. */

/** @typedef {import("./camera.js").Camera} Camera */

const HOME = { turn: -0.6, tilt: 1.02 };
const STEEPEST = 1.45;
const DURATION = 700;
const SLOWEST_STEP = 120;
/** A window that is turned still fits in. */
const ROOM = 0.62;

/** Height of the graph, when the window's square is 1 wide. */
export const RELIEF = 0.5;

export class Orbit {
  constructor() {
    /** Radians round the vertical, and away from it. */
    this.turn = HOME.turn;
    this.tilt = HOME.tilt;
    /** From 0, flat, to 1. */
    this.share = 0;
    this.last = 0;
  }

  /** The share with a soft start and end. */
  get progress() {
    return this.share * this.share * (3 - 2 * this.share);
  }

  home() {
    Object.assign(this, HOME);
  }

  /** @param {number} turn @param {number} tilt radians */
  rotate(turn, tilt) {
    this.turn = (this.turn + turn) % (2 * Math.PI);
    this.tilt = Math.max(0, Math.min(STEEPEST, this.tilt + tilt));
  }

  /** Go on towards 3-D, or back, at once for those who want no motion: returns whether there is more to go.
   * @param {boolean} up @param {number} now milliseconds */
  step(up, now) {
    const goal = up ? 1 : 0;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.share = goal;
    if (this.share === goal) {
      this.last = 0;
      return false;
    }
    const by = (this.last ? Math.min(SLOWEST_STEP, now - this.last) : 16) / DURATION;
    this.share = up ? Math.min(1, this.share + by) : Math.max(0, this.share - by);
    this.last = now;
    return true;
  }
}

/** Pixels of places with heights. Depth counts towards the eye, in places. */
export class Projection {
  /** @param {Camera} camera @param {Orbit} orbit @param {number} width @param {number} height
   * @param {number} z height in the middle, in places */
  constructor(camera, orbit, width, height, z) {
    const { progress } = orbit;
    this.width = width;
    this.height = height;
    this.growth = progress;
    /** Pixels per place. */
    this.scale = camera.scale(width, height) * (1 + (ROOM - 1) * progress);
    this.x = camera.x;
    this.y = camera.y;
    this.z = z;
    const [turn, tilt] = [orbit.turn * progress, orbit.tilt * progress];
    this.cosTurn = Math.cos(turn);
    this.sinTurn = Math.sin(turn);
    this.cosTilt = Math.cos(tilt);
    this.sinTilt = Math.sin(tilt);
  }

  /** How long a way on the plane is seen, on average, against the flat picture. */
  get shrink() {
    return (1 + (ROOM - 1) * this.growth) * Math.sqrt(this.cosTilt);
  }

  /** Right, up and towards the eye, in places, of what is away from the middle. @param {number} dx @param {number} dy
   * @param {number} dz
   * @returns {[number, number, number]} */
  seen(dx, dy, dz) {
    const along = this.sinTurn * dx + this.cosTurn * dy;
    const rise = this.growth * dz;
    return [
      this.cosTurn * dx - this.sinTurn * dy,
      along * this.cosTilt + rise * this.sinTilt,
      rise * this.cosTilt - along * this.sinTilt,
    ];
  }

  /** @param {number} x @param {number} y @param {number} z @returns {[number, number]} */
  pixel(x, y, z) {
    const [right, up] = this.seen(x - this.x, y - this.y, z - this.z);
    return [this.width / 2 + this.scale * right, this.height / 2 - this.scale * up];
  }

  /** Away from the middle, in places, of a pixel on the plane at some height. @param {number} px @param {number} py
   * @param {number} z @returns {[number, number]} */
  placeAt(px, py, z) {
    const right = (px - this.width / 2) / this.scale;
    const up = (this.height / 2 - py) / this.scale;
    const along = (up - this.growth * (z - this.z) * this.sinTilt) / this.cosTilt;
    return [this.cosTurn * right + this.sinTurn * along, -this.sinTurn * right + this.cosTurn * along];
  }

  /** Rows right, up and towards the eye of a matrix for places from an origin, so that its numbers stay small.
   * @param {[number, number, number]} origin @returns {number[][]} */
  rows([ox, oy, oz]) {
    const axes = [this.seen(1, 0, 0), this.seen(0, 1, 0), this.seen(0, 0, 1)];
    const shift = this.seen(ox - this.x, oy - this.y, oz - this.z);
    return [0, 1, 2].map((k) => [axes[0][k], axes[1][k], axes[2][k], shift[k]]);
  }

  /** All that tells two projections apart. */
  get key() {
    const { width, height, growth, scale, x, y, z, sinTurn, sinTilt, cosTurn } = this;
    return [width, height, growth, scale, x, y, z, sinTurn, sinTilt, cosTurn].join();
  }
}
