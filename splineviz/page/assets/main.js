/** The page begins here. */

import { App } from "./app.js";
import { readPalette, readScene } from "./panel.js";

async function begin() {
  const scene = readScene();
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  const app = new App(scene, readPalette(scene));
  const stage = root.appendChild(document.createElement("div"));
  stage.className = "views";
  await app.open(stage);
  // for those who script the page
  Object.assign(window, { splineviz: app });
}

begin();
