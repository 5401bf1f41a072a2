// Zones drawn on a camera's picture. `<form data-zones data-source="ID">` where ID is a json_script of a list of zones,
// holds a [data-picture] with an img, a [data-list] for the zones' fields and a hidden input named "zones".
//
// A click on the picture adds a corner to the zone in hand, a corner may be dragged, and every corner also stands as
// numbers in a field, so that zones can be drawn without a pointer.

import { make, source, t } from "./page.js";

const SVG = "http://www.w3.org/2000/svg";
const NEW = { band: "SHORE", polygon: [], season_first: 101, season_last: 1231, hours_start: 0, hours_end: 0, level_from: null, level_to: null, stay_s: 0, group_from: 3 };

/** Return corners written as "x,y x,y" in shares of the picture, null where they cannot be read. */
export function cornersOf(text) {
  const points = text.trim().split(/\s+/).filter(Boolean).map((pair) => pair.split(/[,，]/).map(Number));
  const good = points.every((point) => point.length === 2 && point.every((part) => Number.isFinite(part) && part >= 0 && part <= 1));
  return good ? points : null;
}

/** Return corners as they are written. */
export function written(polygon) {
  return polygon.map(([x, y]) => `${+x.toFixed(3)},${+y.toFixed(3)}`).join(" ");
}

/** Return a day such as 06-15 as 615 and the other way round. */
export function dayNumber(text) {
  const [month, day] = text.split("-").map(Number);
  return month * 100 + day;
}

function dayText(number) {
  return `${String(Math.floor(number / 100)).padStart(2, "0")}-${String(number % 100).padStart(2, "0")}`;
}

function minutes(text) {
  const [hour, minute] = text.split(":").map(Number);
  return hour * 60 + minute;
}

function clockText(number) {
  return `${String(Math.floor(number / 60)).padStart(2, "0")}:${String(number % 60).padStart(2, "0")}`;
}

class Editor {
  constructor(form) {
    this.form = form;
    this.zones = source(form) ?? [];
    this.list = form.querySelector("[data-list]");
    this.picture = form.querySelector("[data-picture]");
    this.inHand = 0;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.picture.append(this.svg);
    this.measure();
    this.picture.querySelector("img")?.addEventListener("load", () => this.measure());
    new ResizeObserver(() => this.measure()).observe(this.picture);
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.drag(event));
    this.svg.addEventListener("pointerup", () => this.drop());
    form.querySelector("[data-add]").addEventListener("click", () => this.add());
    form.addEventListener("submit", () => { form.elements.zones.value = JSON.stringify(this.zones); });
    this.render();
  }

  /** Take the picture's shape as it is shown, so that corners are round. */
  measure() {
    const { width, height } = this.picture.getBoundingClientRect();
    [this.width, this.height] = [width || 16, height || 9];
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    if (this.list.children.length) this.draw();
  }

  add() {
    const number = this.zones.length + 1;
    this.zones.push({ ...structuredClone(NEW), code: t(`区域${number}`, `Zone ${number}`) });
    this.inHand = this.zones.length - 1;
    this.render();
    this.list.lastElementChild?.querySelector("input")?.focus();
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    const share = (value, start, size) => Math.min(1, Math.max(0, (value - start) / size));
    return [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)];
  }

  press(event) {
    const corner = event.target.dataset.corner;
    if (corner !== undefined) {
      this.inHand = Number(event.target.dataset.zone);
      this.dragged = Number(corner);
      this.svg.setPointerCapture(event.pointerId);
    } else if (this.zones[this.inHand]) {
      this.zones[this.inHand].polygon.push(this.at(event));
      this.refresh();
    }
  }

  drag(event) {
    if (this.dragged === undefined) return;
    this.zones[this.inHand].polygon[this.dragged] = this.at(event);
    this.refresh();
  }

  drop() {
    this.dragged = undefined;
  }

  refresh() {
    this.draw();
    const field = this.list.children[this.inHand]?.querySelector("[data-corners]");
    if (field) field.value = written(this.zones[this.inHand].polygon);
  }

  draw() {
    this.svg.replaceChildren(...this.zones.flatMap((zone, number) => this.shapes(zone, number)));
  }

  shapes(zone, number) {
    const points = zone.polygon.map(([x, y]) => [x * this.width, y * this.height]);
    const outline = document.createElementNS(SVG, "polygon");
    outline.setAttribute("points", points.map((point) => point.join(",")).join(" "));
    outline.setAttribute("class", `zone ${zone.band.toLowerCase()}${number === this.inHand ? " in-hand" : ""}`);
    const corners = points.map(([x, y], corner) => {
      const dot = document.createElementNS(SVG, "circle");
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: 9, "data-zone": number, "data-corner": corner })) dot.setAttribute(name, value);
      return dot;
    });
    return [outline, ...(number === this.inHand ? corners : [])];
  }

  render() {
    this.list.replaceChildren(...this.zones.map((zone, number) => this.fields(zone, number)));
    this.draw();
  }

  fields(zone, number) {
    const title = make("h3", { id: `zone-${number}` }, zone.code || `${number + 1}`);
    const box = make("section", { class: "zone-fields", "aria-labelledby": title.id }, title);
    box.addEventListener("focusin", () => { this.inHand = number; this.draw(); });
    const field = (words, input, take) => {
      const id = `zone-${number}-${box.children.length}`;
      input.id = id;
      input.addEventListener("input", () => { take(input.value); this.draw(); });
      box.append(make("div", { class: "field" }, make("label", { for: id }, words), input));
    };
    const text = (value, more = {}) => { const input = make("input", more); input.value = value; return input; };
    field(t("名称", "Name"), text(zone.code, { maxlength: 24, required: "" }), (value) => { zone.code = value; title.textContent = value; });
    const band = make("select", {}, make("option", { value: "SHORE" }, t("岸边", "Shore")), make("option", { value: "WATER" }, t("水中", "Water")));
    band.value = zone.band;
    field(t("哪一带", "Band"), band, (value) => { zone.band = value; });
    const corners = text(written(zone.polygon), { "data-corners": "", inputmode: "decimal" });
    field(t("各角（横,纵，0–1；也可在图上点）", "Corners (x,y from 0 to 1; or click in the picture)"), corners, (value) => {
      const found = cornersOf(value);
      corners.setCustomValidity(found ? "" : t("应为 0–1 的数对，如 0.1,0.5 0.4,0.5 0.4,0.9", "Pairs from 0 to 1, as 0.1,0.5 0.4,0.5 0.4,0.9"));
      if (found) zone.polygon = found;
    });
    field(t("停留多少秒才报警（0 为立即）", "Alarm after so many seconds (0: at once)"), text(zone.stay_s, { type: "number", min: 0, max: 600 }), (value) => { zone.stay_s = Number(value); });
    field(t("几人算聚集（0 为不算）", "A group from so many persons (0: never)"), text(zone.group_from, { type: "number", min: 0, max: 50 }), (value) => { zone.group_from = Number(value); });
    const day = { pattern: "[01]?[0-9]-[0-3]?[0-9]", maxlength: 5 };
    field(t("季节从（月-日）", "Season from (month-day)"), text(dayText(zone.season_first), day), (value) => { zone.season_first = dayNumber(value); });
    field(t("季节到（含）", "Season until (that day too)"), text(dayText(zone.season_last), day), (value) => { zone.season_last = dayNumber(value); });
    field(t("每天从（与止时相同为全天）", "Each day from (the same as until: all day)"), text(clockText(zone.hours_start), { type: "time" }), (value) => { zone.hours_start = minutes(value); });
    field(t("每天到", "Each day until"), text(clockText(zone.hours_end), { type: "time" }), (value) => { zone.hours_end = minutes(value); });
    const level = { type: "number", step: "0.01" };
    field(t("水位不低于（米，可空）", "Level from (m, may be empty)"), text(zone.level_from ?? "", level), (value) => { zone.level_from = value === "" ? null : Number(value); });
    field(t("水位低于（米，可空）", "Level under (m, may be empty)"), text(zone.level_to ?? "", level), (value) => { zone.level_to = value === "" ? null : Number(value); });
    const drop = make("button", { type: "button", class: "button quiet" }, t("去掉这个区域", "Drop this zone"));
    drop.addEventListener("click", () => { this.zones.splice(number, 1); this.inHand = 0; this.render(); });
    const clear = make("button", { type: "button", class: "button quiet" }, t("重画", "Draw anew"));
    clear.addEventListener("click", () => { zone.polygon = []; this.inHand = number; this.render(); });
    box.append(make("p", { class: "actions" }, clear, drop));
    return box;
  }
}

for (const form of document.querySelectorAll("[data-zones]")) new Editor(form);
