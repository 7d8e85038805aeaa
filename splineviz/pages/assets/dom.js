/** Elements in a line. Texts are inserted as text. */

/**
 * An element with attributes and children. A function as attribute is a listener; true and false add and leave out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, string | number | boolean | ((event: any) => void)>} [attributes]
 * @param {(Node | string)[]} children @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** An element of a vector picture. @param {string} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
export function vector(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A button. @param {string} text @param {string} title @param {() => void} act @param {Record<string, string | boolean>} attributes */
export function button(text, title, act, attributes = {}) {
  return element("button", { type: "button", title, click: act, ...attributes }, text);
}

/** A list to choose from, and its label. @param {string} label @param {[string, string][]} options value and text of each
 * @param {string} value @param {(value: string) => void} choose @returns {HTMLLabelElement} */
export function chooser(label, options, value, choose) {
  const list = element(
    "select",
    { change: (event) => choose(event.target.value) },
    ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
  );
  return element("label", { class: "field" }, element("span", {}, label), list);
}

/** A box to tick, and its label. @param {string} label @param {boolean} checked @param {(checked: boolean) => void} choose */
export function tick(label, checked, choose) {
  const box = element("input", { type: "checkbox", checked, change: (event) => choose(event.target.checked) });
  return element("label", { class: "tick" }, box, element("span", {}, label));
}

/** A whole number with commas. @param {number} count */
export function thousands(count) {
  return count.toLocaleString("en-US");
}

/** A number in few digits, with a true minus sign. @param {number} value @param {number} digits */
export function short(value, digits = 4) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replace("e+", "e").replaceAll("-", "−");
}
