/** The axis of heights beside the graph, with few ticks. */

/** @typedef {import("./surfaceorbit.js").Projection} Projection */
/** @typedef {import("./surfacemesh.js").Relief} Relief */

/** Round numbers in a range, about as many as wanted. @param {number} low @param {number} high @param {number} wanted
 * @returns {number[]} */
export function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough < 1.5 * power ? 1 : rough < 3.5 * power ? 2 : rough < 7.5 * power ? 5 : 10);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(k * step);
  return found;
}

/** Text of one of several ticks: as many digits as tell them apart. @param {number} tick @param {number[]} all */
export function tickText(tick, all) {
  const step = all.length > 1 ? all[1] - all[0] : Math.abs(tick) || 1;
  const top = Math.max(...all.map(Math.abs), step);
  if (top >= 1e5 || top < 1e-3) return tick === 0 ? "0" : String(Number(tick.toPrecision(6)).toExponential());
  return tick.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9))).replace("-", "−");
}

/** Draw the axis at the leftmost corner of the window, where the graph hides none of it.
 * @param {CanvasRenderingContext2D} context @param {Projection} projection @param {Relief} relief
 * @param {[number, number][]} window in places
 * @param {string} name @param {number} ratio device pixels per CSS pixel @param {string} ink @param {string} ground */
export function drawAxis(context, projection, relief, window, name, ratio, ink, ground) {
  const at = (/** @type {[number, number]} */ [x, y], /** @type {number} */ height) =>
    projection.pixel(x, y, relief.z(height));
  const corner = window.reduce((best, one) => (at(one, relief.low)[0] < at(best, relief.low)[0] ? one : best));
  const [bottom, top] = [at(corner, relief.low), at(corner, relief.high)];
  const inView = bottom[0] > 0 && top[1] < projection.height && bottom[1] > 0;
  if (!inView || bottom[1] - top[1] < 40 * ratio || bottom[1] - top[1] > 1e5) return;
  context.save();
  context.globalAlpha = projection.growth;
  context.strokeStyle = ink;
  context.lineWidth = 1.2 * ratio;
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const x = bottom[0] - 6 * ratio;
  context.beginPath();
  context.moveTo(x, bottom[1]);
  context.lineTo(x, top[1]);
  const wanted = Math.max(3, Math.min(6, (bottom[1] - top[1]) / (45 * ratio)));
  const numbers = ticks(relief.low, relief.high, wanted);
  for (const tick of numbers) {
    const y = at(corner, tick)[1];
    context.moveTo(x, y);
    context.lineTo(x - 5 * ratio, y);
  }
  context.stroke();
  const write = (/** @type {string} */ text, /** @type {number} */ left, /** @type {number} */ y) => {
    context.strokeStyle = ground;
    context.lineWidth = 3 * ratio;
    context.strokeText(text, left, y);
    context.fillStyle = ink;
    context.fillText(text, left, y);
  };
  context.textAlign = "right";
  // a graph as wide as the view leaves no room at the left
  const widest = Math.max(...numbers.map((tick) => context.measureText(tickText(tick, numbers)).width));
  const right = Math.max(x - 8 * ratio, widest + 3 * ratio);
  for (const tick of numbers) write(tickText(tick, numbers), right, at(corner, tick)[1]);
  context.textAlign = "left";
  write(name, Math.max(4 * ratio, right - widest), top[1] - 14 * ratio);
  context.restore();
}
