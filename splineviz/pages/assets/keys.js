/** Keys that work wherever the focus is, but in fields. */

import { modes } from "./colors.js";
import { inField } from "./timeline.js";

/** @typedef {import("./app.js").App} App */

/** Keys and what they do, for the help. @type {[string, string][]} */
export const KEYS = [
  ["drag, arrows", "move (with Shift in large steps); in 3-D turn (with Shift move)"],
  ["wheel, pinch, + −", "zoom"],
  ["0", "the whole window"],
  ["click, Enter", "pin the cell at the cursor, or in the middle"],
  ["Esc", "let go of what is pinned and highlighted"],
  ["c, e", "next colour, next edges"],
  ["b, a, d", "boundary, anchors, data on or off"],
  ["[ and ]", "one stage back, one stage on"],
  ["3", "graph of the function in 3-D on or off"],
  [", and .", "one checkpoint back, one on"],
  ["p", "play or pause the checkpoints"],
  ["?", "this list"],
];

/** @param {App} app */
export function addKeys(app) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event)) return;
    const { settings, panel, panels } = app;
    const next = (/** @type {string[]} */ all, /** @type {string} */ one) => all[(all.indexOf(one) + 1) % all.length];
    /** @type {Record<string, () => Partial<import("./app.js").Settings>>} */
    const actions = {
      c: () => ({ color: next(modes(panel), settings.color) }),
      e: () => ({ edges: next(["stage", ...(panel.hasValues ? ["kink"] : []), "plain", "none"], settings.edges) }),
      b: () => ({ boundary: !settings.boundary }),
      a: () => ({ anchors: !settings.anchors }),
      d: () => ({ data: !settings.data }),
      "[": () => ({ stage: Math.max(0, settings.stage - 1) }),
      "]": () => ({ stage: Math.min(panel.stages.last, settings.stage + 1) }),
      3: () => (panel.hasValues ? { surface: !settings.surface } : {}),
      ",": () => (app.sideBySide ? {} : { frame: Math.max(0, settings.frame - 1) }),
      ".": () => (app.sideBySide ? {} : { frame: Math.min(panels.length - 1, settings.frame + 1) }),
    };
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) app.unpin();
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    app.set(action());
  });
}
