/** Where a panel looks: places in the middle of the view, and pixels per place. Places are double-precision numbers,
 * so that 1e-12 of the window still has its pixels. */

export const MOST_ZOOM = 1e11;

const WHOLE = 0.96;

/** Zoom with which a length takes some share of the view. @param {number} length in places @param {number} share */
export function zoomOn(length, share) {
  return Math.min(MOST_ZOOM, Math.max(1, share / (WHOLE * length)));
}

export class Camera {
  /** @param {number} x @param {number} y @param {number} zoom 1 shows the whole square */
  constructor(x = 0.5, y = 0.5, zoom = 1) {
    this.x = x;
    this.y = y;
    this.zoom = zoom;
  }

  /** Pixels per place on a canvas. @param {number} width @param {number} height */
  scale(width, height) {
    return WHOLE * Math.min(width, height) * this.zoom;
  }

  copy() {
    return new Camera(this.x, this.y, this.zoom);
  }

  /** Zoom by a factor about a pixel, which keeps its place. @param {number} factor @param {number} px @param {number} py @param {number} width @param {number} height */
  zoomAt(factor, px, py, width, height) {
    const [x, y] = this.place(px, py, width, height);
    this.zoom = Math.min(MOST_ZOOM, Math.max(0.5, this.zoom * factor));
    const scale = this.scale(width, height);
    this.x = x - (px - width / 2) / scale;
    this.y = y + (py - height / 2) / scale;
    this.keepInside();
  }

  /** Move by pixels. @param {number} dx @param {number} dy @param {number} width @param {number} height */
  pan(dx, dy, width, height) {
    const scale = this.scale(width, height);
    this.x -= dx / scale;
    this.y += dy / scale;
    this.keepInside();
  }

  keepInside() {
    this.x = Math.min(1.2, Math.max(-0.2, this.x));
    this.y = Math.min(1.2, Math.max(-0.2, this.y));
  }

  /** Place of a pixel. @param {number} px @param {number} py @param {number} width @param {number} height @returns {[number, number]} */
  place(px, py, width, height) {
    const scale = this.scale(width, height);
    return [this.x + (px - width / 2) / scale, this.y - (py - height / 2) / scale];
  }

  /** Pixel of a place. @param {number} x @param {number} y @param {number} width @param {number} height @returns {[number, number]} */
  pixel(x, y, width, height) {
    const scale = this.scale(width, height);
    return [width / 2 + (x - this.x) * scale, height / 2 - (y - this.y) * scale];
  }

  /** The rectangle of places that is seen: x0, x1, y0, y1. @param {number} width @param {number} height @returns {[number, number, number, number]} */
  seen(width, height) {
    const [x0, y1] = this.place(0, 0, width, height);
    const [x1, y0] = this.place(width, height, width, height);
    return [x0, x1, y0, y1];
  }
}
