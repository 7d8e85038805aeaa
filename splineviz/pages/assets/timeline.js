/** Checkpoints of an animation: a slider with a strip of curves below, and a button that plays. */

import { button, element, short, vector } from "./dom.js";

/** @typedef {import("./app.js").App} App */

const SECONDS = 0.5;
const [CHART_WIDTH, CHART_HEIGHT] = [600, 70];

/** @param {App} app @param {HTMLElement} root */
export function addTimeline(app, root) {
  const { strip, panels } = app.scene;
  if (app.sideBySide || panels.length < 2) return;
  let timer = 0;
  const place = element("input", {
    type: "range",
    min: 0,
    max: panels.length - 1,
    step: 1,
    value: app.settings.frame,
    "aria-label": "Checkpoint",
    input: (event) => {
      stop();
      app.set({ frame: Number(event.target.value) });
    },
  });
  const said = element("output", {});
  const play = button("Play", "Play or pause (key p)", () => (timer ? stop() : run()), { class: "play" });
  const charts = element("div", { class: "charts" });
  const cursors = (strip?.series ?? []).map((one) => chart(charts, one, /** @type {number[]} */ (strip?.steps)));

  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Play";
  }
  async function next() {
    await app.set({ frame: (app.settings.frame + 1) % panels.length });
    if (timer) timer = window.setTimeout(next, 1000 * SECONDS);
  }
  function run() {
    play.textContent = "Pause";
    timer = window.setTimeout(next, 0);
  }
  function show() {
    const { frame } = app.settings;
    place.value = String(frame);
    place.setAttribute("aria-valuetext", panels[frame].name);
    said.value = panels[frame].name;
    cursors.forEach((move) => move(frame));
  }
  app.on("settings", show);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "p" || event.ctrlKey || event.metaKey || event.altKey || inField(event)) return;
    play.click();
  });
  root.append(element("div", { class: "scrub" }, play, place, said), charts);
  show();
}

/** Whether a key goes into a field. @param {Event} event */
export function inField(event) {
  return event.target instanceof HTMLElement && event.target.matches("input[type=text], input[type=search], textarea, select");
}

/** A curve over the logarithm of the step; returns what moves its cursor. @param {HTMLElement} root
 * @param {{label: string, values: (number | null)[]}} series @param {number[]} steps @returns {(frame: number) => void} */
function chart(root, { label, values }, steps) {
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known, 0) || 1;
  const ends = [Math.log1p(steps[0]), Math.log1p(steps[steps.length - 1])];
  const x = (/** @type {number} */ k) => 4 + ((CHART_WIDTH - 8) * (Math.log1p(steps[k]) - ends[0])) / (ends[1] - ends[0] || 1);
  const y = (/** @type {number} */ value) => CHART_HEIGHT - 4 - ((CHART_HEIGHT - 10) * value) / top;
  const picture = vector("svg", { viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
  const points = values.map((value, k) => (value === null ? "" : `${x(k).toFixed(1)},${y(value).toFixed(1)}`)).filter(Boolean);
  picture.append(vector("polyline", { points: points.join(" "), class: "curve" }));
  const cursor = vector("line", { y1: 0, y2: CHART_HEIGHT, class: "cursor" });
  picture.append(cursor);
  const now = element("b", {});
  root.append(element("figure", {}, element("figcaption", {}, `${label} `, now), /** @type {any} */ (picture)));
  return (frame) => {
    cursor.setAttribute("x1", String(x(frame)));
    cursor.setAttribute("x2", String(x(frame)));
    const value = values[frame];
    now.textContent = value === null ? "" : short(value);
  };
}
