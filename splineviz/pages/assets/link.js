/** The view in the fragment of the page's address: #u,v,zoom,color,stage,edges,frame,height. The last three may be left out. */

/** @typedef {import("./app.js").App} App */

const WAIT = 250;

/** Follow the fragment, and keep it up to date. @param {App} app */
export function addLink(app) {
  let timer = 0;
  let own = "";
  const write = () => {
    own = fragment(app);
    try {
      history.replaceState(null, "", own);
    } catch {
      // a page within another page has no address of its own
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = window.setTimeout(write, WAIT);
  };
  for (const what of ["camera", "settings"]) app.on(what, later);
  window.addEventListener("hashchange", () => {
    if (location.hash !== own) follow(app, location.hash);
  });
  if (location.hash.length > 1) follow(app, location.hash);
}

/** @param {App} app */
export function fragment(app) {
  const { camera, settings, scene } = app;
  const { corner, extent } = scene.panels[0].card;
  const [u, v] = [corner[0] + extent * camera.x, corner[1] + extent * camera.y];
  const parts = [u, v, Number(camera.zoom.toPrecision(6)), settings.color, settings.stage, settings.edges, settings.frame];
  if (settings.surface) parts.push(settings.output);
  return `#${parts.map((part) => encodeURIComponent(part)).join(",")}`;
}

/** Look where a fragment says; what it does not say, or says wrongly, stays. @param {App} app @param {string} text */
function follow(app, text) {
  const [u, v, zoom, color, stage, edges, frame, output] = text.slice(1).split(",").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return "";
    }
  });
  const { corner, extent } = app.scene.panels[0].card;
  const numbers = [u, v, zoom].map(Number);
  if (numbers.every(Number.isFinite) && numbers[2] > 0) {
    app.lookAt((numbers[0] - corner[0]) / extent, (numbers[1] - corner[1]) / extent, numbers[2]);
  }
  /** @type {Partial<import("./app.js").Settings>} */
  const settings = {};
  if (color && app.offers("color", color)) settings.color = color;
  if (edges && app.offers("edges", edges)) settings.edges = edges;
  if (stage && app.offers("stage", stage)) settings.stage = Number(stage);
  if (frame && app.offers("frame", frame)) settings.frame = Number(frame);
  if (output && app.offers("output", output)) Object.assign(settings, { output, surface: true });
  app.set(settings);
}
