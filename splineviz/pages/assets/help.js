/** The list of keys, in a dialog. */

import { button, element } from "./dom.js";
import { KEYS } from "./keys.js";
import { inField } from "./timeline.js";

/** The button that opens it. */
export function addHelp() {
  const rows = KEYS.map(([keys, does]) => element("tr", {}, element("th", { scope: "row" }, keys), element("td", {}, does)));
  const close = button("Close", "Close (key Esc)", () => dialog.close());
  const dialog = element("dialog", { "aria-label": "Mouse, touch and keys" }, element("table", {}, ...rows), close);
  document.body.append(dialog);
  const open = button("?", "Mouse, touch and keys (key ?)", () => dialog.showModal(), { "aria-label": "Help" });
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !inField(event) && !dialog.open) dialog.showModal();
  });
  return open;
}
