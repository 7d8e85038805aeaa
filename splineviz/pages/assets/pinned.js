/** The pinned cell: what can be highlighted of it, its sides, and the way from the window down to it. */

import { cellData, sidesOf } from "./cell_data.js";
import { button, chooser, element, short, thousands } from "./dom.js";
import { className, factsOf, regionSizes, stageName } from "./spot_facts.js";
import { folded, numberTable, percent } from "./tables.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./app.js").Choice} Choice */
/** @typedef {import("./app.js").Spot} Spot */

/** @param {App} app @param {HTMLElement} root */
export function addPinned(app, root) {
  const pinned = new Pinned(app, root);
  app.on("pin", () => pinned.draw());
  app.on("frame", () => pinned.follow());
  app.on("choice", () => pinned.press());
}

class Pinned {
  /** @param {App} app @param {HTMLElement} root */
  constructor(app, root) {
    this.app = app;
    this.root = root;
    this.root.setAttribute("aria-label", "Pinned cell");
    /** Buttons, and what each highlights. @type {[HTMLButtonElement, () => Choice][]} */
    this.toggles = [];
    this.stage = Infinity;
    this.chainOpen = false;
    /** @type {Spot | null} */
    this.drawn = null;
  }

  /** Highlight at another checkpoint what is there now of the pinned cell. */
  follow() {
    const { choice, pinned } = this.app;
    this.draw();
    if (!pinned || choice.panel === undefined) return;
    const number = choice.kind === "unit" ? choice.number : pinned.cell;
    this.app.choose({ ...choice, number, panel: pinned.panel.index });
  }

  draw() {
    const spot = this.app.pinned;
    if (spot === this.drawn) return;
    this.drawn = spot;
    this.toggles = [];
    this.root.hidden = !spot;
    this.root.replaceChildren(...(spot ? this.parts(spot) : []));
    this.press();
  }

  /** @param {Spot} spot */
  parts(spot) {
    const tools = element(
      "div",
      { class: "tools" },
      button("Go there", "Look at this cell", () => this.app.visit(spot)),
      button("Let go", "Unpin this cell (key Esc)", () => {
        this.app.unpin();
        this.app.views[0].root.focus();
      }),
    );
    const heading = element("h2", {}, `Pinned cell ${spot.cell}`);
    return [heading, tools, this.highlights(spot), this.sides(spot), this.chain(spot), copying(spot)];
  }

  /** A button that highlights something, and lets it go again. @param {string} text @param {string} title @param {() => Choice} choice */
  toggle(text, title, choice) {
    const made = button(text, title, () => {
      this.app.choose(sameChoice(this.app.choice, choice()) ? { kind: "none", number: 0 } : choice());
    }, { "aria-pressed": "false" });
    this.toggles.push([made, choice]);
    return made;
  }

  /** Tell of each button whether what it stands for is highlighted. */
  press() {
    for (const [made, choice] of this.toggles) made.setAttribute("aria-pressed", String(sameChoice(this.app.choice, choice())));
  }

  /** @param {Spot} spot */
  highlights(spot) {
    const { panel, cell } = spot;
    const { index } = panel;
    const facts = factsOf(spot);
    const { stages } = panel;
    const found = facts.units.map((unit) => this.unit(spot, unit, `Edges of ${stages.unitName(unit)}`));
    const sizes = regionSizes(panel);
    if (sizes && facts.region !== null) {
      const count = sizes[facts.region];
      const title = "All cells that are connected with one map";
      found.push(this.toggle(`Linear region: ${thousands(count)} ${cellsWord(count)}`, title, () => ({ kind: "region", number: cell, panel: index })));
    }
    const { class: winner } = facts;
    if (winner !== null) {
      found.push(this.toggle(`Class: ${className(panel, winner)}`, "All cells of this class", () => ({ kind: "class", number: winner })));
    }
    const group = { class: "highlights", role: "group", "aria-label": "Highlight" };
    return element("div", group, element("h3", {}, "Highlight"), ...found, this.ofStage(spot));
  }

  /** @param {Spot} spot */
  ofStage({ panel, cell }) {
    const { index } = panel;
    const { stages, last } = panel.stages;
    this.stage = Math.min(this.stage, Math.max(0, last - 1));
    const options = stages.map(({ name }, k) => /** @type {[string, string]} */ ([String(k), `${k} (${name})`]));
    const title = "The cell of this stage that the pinned one lies in";
    const choice = () => /** @type {Choice} */ ({ kind: "stage", number: cell, stage: this.stage, panel: index });
    const toggle = this.toggle("Cell after stage", title, choice);
    const list = chooser("stage", options, String(this.stage), (value) => {
      const before = this.app.choice.kind === "stage";
      this.stage = Number(value);
      if (before) this.app.choose(choice());
      else this.press();
    });
    return element("div", { class: "of-stage" }, toggle, list);
  }

  /** @param {Spot} spot @param {number} unit @param {string} text */
  unit({ panel }, unit, text) {
    return this.toggle(text, `All edges of ${panel.stages.unitName(unit)}`, () => ({ kind: "unit", number: unit, panel: panel.index }));
  }

  /** @param {Spot} spot */
  sides(spot) {
    const { stages } = spot.panel;
    const rows = sidesOf(spot).map(({ units, kink }) => {
      const which = units.map((unit) => this.unit(spot, unit, stages.unitName(unit)));
      const places = units.map((unit) => stages.place(unit)[0]);
      return [
        places.length ? [...new Set(places)].join(", ") : "–",
        which.length ? element("span", {}, ...which) : "rim of the window",
        units.length && kink !== null ? short(kink, 6) : "–",
      ];
    });
    return folded(`Sides: ${rows.length}`, numberTable(["stage", "unit", "kink"], rows), true);
  }

  /** The table is made when it is opened. @param {Spot} spot */
  chain(spot) {
    const { panel, cell } = spot;
    const place = element("div");
    const found = folded("From the window down to the cell", place, this.chainOpen);
    const fill = () => {
      this.chainOpen = found.open;
      if (!found.open || place.firstChild) return;
      const chain = panel.stages.chain(cell);
      const whole = panel.areas().reduce((sum, area) => sum + area, 0);
      const row = (/** @type {string} */ name, /** @type {number} */ count, /** @type {number} */ area) =>
        [name, thousands(count), short(area, 6), percent(area, whole)];
      const rows = chain.map(({ stage, cells, area }) => row(stageName(panel, stage), cells, area));
      place.append(numberTable(["after stage", "cells in it", "area", "share, %"], [row("window", panel.cells.n, whole), ...rows]));
    };
    found.addEventListener("toggle", fill);
    fill();
    return found;
  }
}

/** @param {Choice} one @param {Choice} other */
function sameChoice(one, other) {
  return one.kind === other.kind && one.number === other.number && one.stage === other.stage && one.panel === other.panel;
}

/** @param {number} count */
function cellsWord(count) {
  return count === 1 ? "cell" : "cells";
}

/** Copies to the clipboard; where that is not allowed, shows the text to be copied by hand. @param {Spot} spot */
function copying(spot) {
  const said = element("span", { role: "status", class: "hint" });
  const text = element("textarea", { readonly: true, rows: 6, hidden: true, "aria-label": "The cell as JSON" });
  const copy = async () => {
    const json = JSON.stringify(cellData(spot), null, 1);
    try {
      await navigator.clipboard.writeText(json);
      said.textContent = "copied";
      text.hidden = true;
    } catch {
      text.value = json;
      text.hidden = false;
      text.select();
      said.textContent = "this page may not reach the clipboard: copy the text below";
    }
  };
  return element("div", { class: "copying" }, button("Copy as JSON", "All numbers of this cell in full precision", copy), said, text);
}
