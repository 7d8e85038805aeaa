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
  const kinds = [...new Set(strip?.series.map((one) => one.chart))];
  const cursors = kinds.map((title) => {
    const lines = strip?.series.filter((one) => one.chart === title) ?? [];
    return chart(charts, title, lines, strip?.steps ?? []);
  });

  function stop() {
    clearTimeout(timer);
    timer = 0;
    play.textContent = "Play";
  }
  async function next() {
    await app.set({ frame: (app.settings.frame + 1) % panels.length });
    if (timer) timer = window.setTimeout(next, 1000 * (strip?.seconds[app.settings.frame] ?? SECONDS));
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

/**
 * Curves of one kind over the logarithm of the step; returns what moves their cursor.
 * @param {HTMLElement} root @param {string} title @param {import("./panel.js").Series[]} lines @param {number[]} steps
 * @returns {(frame: number) => void}
 */
function chart(root, title, lines, steps) {
  const top = Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))) || 1;
  const ends = [Math.log1p(steps[0]), Math.log1p(steps[steps.length - 1])];
  const x = (/** @type {number} */ k) => 4 + ((CHART_WIDTH - 8) * (Math.log1p(steps[k]) - ends[0])) / (ends[1] - ends[0] || 1);
  const y = (/** @type {number} */ value) => CHART_HEIGHT - 4 - ((CHART_HEIGHT - 10) * value) / top;
  const view = { viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": title };
  const picture = vector("svg", view);
  for (const [k, { values }] of lines.entries()) {
    const points = values.map((value, j) => (value === null ? "" : `${x(j).toFixed(1)},${y(value).toFixed(1)}`)).filter(Boolean);
    picture.append(vector("polyline", { points: points.join(" "), class: `curve curve-${k}` }));
  }
  const cursor = vector("line", { y1: 0, y2: CHART_HEIGHT, class: "cursor" });
  picture.append(cursor);
  const now = lines.map(() => element("b", {}));
  const names = lines.map(({ label }, k) => element("span", { class: `name-${k}` }, lines.length > 1 ? `${label} ` : "", now[k]));
  root.append(element("figure", {}, element("figcaption", {}, `${title} `, ...names), /** @type {any} */ (picture)));
  return (frame) => {
    cursor.setAttribute("x1", String(x(frame)));
    cursor.setAttribute("x2", String(x(frame)));
    lines.forEach(({ values }, k) => (now[k].textContent = values[frame] === null ? "–" : short(/** @type {number} */ (values[frame]))));
  };
}
