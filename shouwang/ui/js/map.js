// The map: outlines and severity markers on one canvas, no tiles unless given, the review number always.
//
// `<div data-map data-source="ID">` where ID is a json_script of
// {outlines: GeoJSON, review, note, points: [{id, lon, lat, severity, title, href, fresh}], tiles: {url, attribution}}.
// Rows with data-point="ID" are ringed while hovered or focused. Live: the DOM event "shouwang:point" upserts
// {id, lon, lat, ...} or removes {id, removed: true}. Choosing a marker dispatches "shouwang:chosen" {id}.

import L from "leaflet";

import { isStill, make, onRecolour, rem, source, t, token } from "./page.js";

const CHARACTERS = { red: "红", orange: "橙", yellow: "黄", blue: "蓝" };
const RANK = { blue: 1, yellow: 2, orange: 3, red: 4 };
const RADIUS = Math.max(11, Math.round(rem() * 0.7));

const Marker = L.CircleMarker.extend({
  _updatePath() {
    this._renderer._drawSeverity(this);
  },
  _updateBounds() {
    L.CircleMarker.prototype._updateBounds.call(this);
    const ring = L.point(10, 10);
    this._pxBounds = L.bounds(this._pxBounds.min.subtract(ring), this._pxBounds.max.add(ring));
  },
});

L.Canvas.include({
  _drawSeverity(layer) {
    if (!this._drawing || layer._empty()) return;
    const { x, y } = layer._point;
    const { severity, ringed, fresh } = layer.options;
    const pen = this._ctx;
    pen.save();
    if (ringed || fresh) {
      pen.beginPath();
      pen.arc(x, y, RADIUS + 6, 0, 2 * Math.PI);
      pen.lineWidth = ringed ? 4 : 2;
      pen.strokeStyle = token(ringed ? "--focus" : `--${severity}`);
      pen.stroke();
    }
    pen.beginPath();
    pen.arc(x, y, RADIUS, 0, 2 * Math.PI);
    pen.fillStyle = token(`--${severity}`);
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = token("--surface");
    pen.stroke();
    pen.fillStyle = token(`--${severity}-ink`);
    pen.font = `700 ${Math.round(RADIUS * 1.2)}px ${token("--font")}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(CHARACTERS[severity], x, y + 1);
    pen.restore();
  },
});

/** Tell whether a point can be drawn: finite WGS-84 degrees and a known severity. */
export function drawable(point) {
  return Number.isFinite(point.lon) && Number.isFinite(point.lat) && Math.abs(point.lon) <= 180 && Math.abs(point.lat) <= 85 && point.severity in CHARACTERS;
}

/** Draw the map of `holder` and keep it current. */
export function draw(holder) {
  const data = source(holder);
  if (!data) return null;
  const map = L.map(holder, { renderer: L.canvas({ padding: 0.5 }), zoomControl: false, attributionControl: false, zoomSnap: 0.25, fadeAnimation: !isStill(), zoomAnimation: !isStill() });
  L.control.zoom({ zoomInTitle: t("放大", "Zoom in"), zoomOutTitle: t("缩小", "Zoom out") }).addTo(map);
  L.control.attribution({ prefix: false, position: "bottomright" }).addAttribution([data.review, data.note].filter(Boolean).map(escaped).join(" · ")).addTo(map);
  if (data.tiles) L.tileLayer(data.tiles.url, { attribution: escaped(data.tiles.attribution ?? "") }).addTo(map);
  const land = L.geoJSON(data.outlines, { style: landStyle, interactive: false });
  frame(map, land, (data.points ?? []).filter(drawable));
  land.addTo(map);
  label(land, map);
  legend(map);
  const markers = points(map, data.points ?? []);
  link(map, markers, holder);
  onRecolour(() => {
    land.setStyle(landStyle);
    for (const marker of markers.values()) marker.redraw();
  });
  keepFramed(map, holder, () => frame(map, land, (data.points ?? []).filter(drawable)));
  return map;
}

function landStyle() {
  return { color: token("--map-line"), weight: 1.25, fillColor: token("--map-land"), fillOpacity: 1 };
}

function label(land, map) {
  land.eachLayer((layer) => {
    const { name, lon, lat, cx, cy } = layer.feature.properties ?? {};
    if (!name || !layer.getBounds) return;
    const at = Number.isFinite(cy ?? lat) ? [cy ?? lat, cx ?? lon] : layer.getBounds().getCenter();
    L.marker(at, { icon: L.divIcon({ className: "map-label", html: make("span", {}, name) }), interactive: false, keyboard: false }).addTo(map);
  });
}

function legend(map) {
  const control = L.control({ position: "bottomleft" });
  control.onAdd = () => {
    const names = { red: t("红", "Red"), orange: t("橙", "Orange"), yellow: t("黄", "Yellow"), blue: t("蓝", "Blue") };
    const rows = Object.keys(CHARACTERS).map((severity) => {
      const badge = make("span", { class: `severity ${severity}` }, CHARACTERS[severity]);
      const count = make("span", { "data-legend": severity }, "");
      badge.title = names[severity];
      return make("li", {}, badge, count);
    });
    return make("ul", { class: "map-legend tally", "aria-label": t("图例", "Legend") }, ...rows);
  };
  control.addTo(map);
}

function points(map, given) {
  const markers = new Map();
  let counting = 0;
  const upsert = (point) => {
    const known = markers.get(String(point.id));
    if (known && ["lon", "lat", "severity", "title"].every((name) => point[name] === known.options[name]) && Boolean(point.fresh) === Boolean(known.options.fresh)) return;
    known?.remove();
    markers.delete(String(point.id));
    if (point.removed) return;
    if (!drawable(point)) return console.warn("shouwang: a point cannot be drawn", point.id);
    const marker = new Marker([point.lat, point.lon], { radius: RADIUS, ...point }).addTo(map);
    marker.bindPopup(() => popup(point), { closeButton: true });
    marker.on("click", () => document.dispatchEvent(new CustomEvent("shouwang:chosen", { detail: { id: point.id } })));
    markers.set(String(point.id), marker);
  };
  // The gravest are drawn last, so that they lie on top.
  [...given].sort((a, b) => RANK[a.severity] - RANK[b.severity]).forEach(upsert);
  count(map, markers);
  document.addEventListener("shouwang:point", ({ detail }) => {
    upsert({ ...markers.get(String(detail.id))?.options, ...detail });
    counting ||= requestAnimationFrame(() => (counting = 0, count(map, markers)));
  });
  return markers;
}

function count(map, markers) {
  for (const place of map.getContainer().querySelectorAll("[data-legend]")) {
    place.textContent = [...markers.values()].filter((marker) => marker.options.severity === place.dataset.legend).length;
  }
}

function popup(point) {
  const title = point.href ? make("a", { href: point.href }, point.title ?? "") : (point.title ?? "");
  return make("div", {}, make("span", { class: `severity ${point.severity}` }, CHARACTERS[point.severity]), " ", title);
}

// The view is set before anything is drawn: a canvas without a view has no bounds.
function frame(map, land, points) {
  const bounds = land.getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [16, 16], animate: false });
  else if (points.length) map.fitBounds(L.latLngBounds(points.map(({ lat, lon }) => [lat, lon])).pad(0.2), { animate: false, maxZoom: 13 });
  else map.setView([36.45, 115.98], 9);
}

// Until somebody moves the map, it shows the whole area at every size of its box.
function keepFramed(map, holder, fit) {
  let touched = false;
  for (const kind of ["pointerdown", "wheel", "keydown"]) holder.addEventListener(kind, () => (touched = true), { passive: true });
  new ResizeObserver(() => {
    map.invalidateSize({ animate: false });
    if (!touched) fit();
  }).observe(holder);
}

function link(map, markers, holder) {
  let ringed = null;
  const ring = (id) => {
    if (ringed) ringed.options.ringed = false;
    ringed?.redraw();
    ringed = id === undefined ? null : (markers.get(id) ?? null);
    if (!ringed) return;
    ringed.options.ringed = true;
    ringed.bringToFront().redraw();
    if (!map.getBounds().contains(ringed.getLatLng())) map.panTo(ringed.getLatLng(), { animate: !isStill() });
  };
  for (const kind of ["focusin", "mouseover"]) {
    document.addEventListener(kind, ({ target }) => {
      if (!holder.contains(target)) ring(target.closest?.("[data-point]")?.dataset.point);
    });
  }
}

function escaped(text) {
  return make("i", {}, text).innerHTML;
}

for (const holder of document.querySelectorAll("[data-map]")) draw(holder);
