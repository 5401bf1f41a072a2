// The desk's queue between two renewals: what the live stream says of a case is painted at once, from the codes it brings:
// the words of its line, the number on the pill, the tally, the red bar's list, the marker. The order of the lines and
// whatever was missed come with the next renewal (paced.js). What came while a renewal was under way is painted again on top.

import { tick } from "./countdown.js";
import { make, source, t } from "./page.js";
import { renewAtOnce } from "./paced.js";

const RECENT_MOST = 2000;
const queue = document.getElementById("queue");
const words = queue && source({ dataset: { source: queue.dataset.words } });
const held = new Map();
const recent = new Map();
let framed = 0;

/** Paint one item: the case as it stands now. */
function apply({ id, case: line }) {
  if (!line || line.exercise !== null) return;
  const isOpen = line.state === "OPEN";
  if (line.severity === 4) noteRed(id, line, isOpen);
  if (!isInView(line)) return;
  const row = document.getElementById(`case-${id}`);
  if (row) repaint(row, line);
  if (isOpen && !row && id > newest()) hold(id, line);
  else held.delete(id);
  mark(id, line, isOpen);
  framed ||= requestAnimationFrame(count);
}

function isInView({ matter, severity, path }) {
  return (!words.kind || matter === words.kind) && (!words.severity || severity === words.severity) && path.startsWith(words.path);
}

/** The highest number that the server has counted. */
function newest() {
  return Number(queue.querySelector("[data-seen]")?.dataset.newest);
}

function repaint(row, line) {
  const [word, tone] = words.states[line.task || line.state] ?? [line.state, ""];
  const status = row.querySelector(".status");
  if (status.textContent !== word) status.textContent = word;
  status.className = `status ${tone}`;
  const due = row.querySelector("time[data-due]");
  if (!due || !line.due_at) return;
  due.dateTime = due.dataset.due = line.due_at;
  tick(row);
}

/** Count a new case on the pill; an empty queue fills at once. */
function hold(id, line) {
  held.set(id, line);
  if (!queue.querySelector("[data-rows] > li")) renewAtOnce(queue);
}

function title(line) {
  return [words.matters[line.matter] ?? line.matter, line.place].filter(Boolean).join(" · ");
}

function mark(id, { lon, lat, severity, ...line }, isOpen) {
  if (lon === null) return;
  const point = isOpen ? { id, lon, lat, severity: words.levels[severity], title: title(line), href: `/cases/${id}/`, fresh: held.has(id) } : { id, removed: true };
  document.dispatchEvent(new CustomEvent("shouwang:point", { detail: point }));
}

/** Keep the red bar's list true, whatever the desk is narrowed to. */
function noteRed(id, line, isOpen) {
  const list = queue.querySelector("[data-reds]");
  const known = list?.querySelector(`[data-red="${id}"]`);
  if (!list || Boolean(known) === isOpen) return;
  if (isOpen) list.prepend(make("li", { "data-red": id, "data-drawer": `/desk/cases/${id}/` }, `${title(line)} · ${line.number}`));
  else known.remove();
  while (list.children.length > Number(list.dataset.most)) list.lastElementChild.remove();
  document.dispatchEvent(new CustomEvent("shouwang:reds"));
}

/** Write the number of the pill and of the tally: the server's, and what came since. */
function count() {
  framed = 0;
  const pill = queue.querySelector("[data-held]");
  const since = [...held.values()].map((line) => line.severity);
  const number = Number(pill.dataset.held) + since.length;
  pill.hidden = !number;
  const text = t(`${number} 条新预警`, `${number} new alerts`);
  const place = pill.querySelector("[data-held-text]");
  if (place.textContent !== text) place.textContent = text;
  const gravest = Math.max(Number(pill.dataset.gravest), ...since);
  const badge = queue.querySelector(`.tally [data-level="${gravest}"] .severity`);
  if (badge && !pill.querySelector(`.${words.levels[gravest]}`)) {
    pill.querySelector(".severity")?.remove();
    pill.prepend(badge.cloneNode(true));
  }
  for (const level of queue.querySelectorAll(".tally [data-level]")) {
    level.lastElementChild.textContent = Number(level.dataset.count) + since.filter((each) => each === Number(level.dataset.level)).length;
  }
}

function heard({ detail }) {
  recent.delete(detail.id);
  recent.set(detail.id, { item: detail, at: performance.now() });
  if (recent.size > RECENT_MOST) recent.delete(recent.keys().next().value);
  apply(detail);
}

function renewed({ detail: { ctx } }) {
  if (ctx?.target !== queue) return;
  for (const id of held.keys()) if (id <= newest()) held.delete(id);
  for (const [id, { item, at }] of recent) {
    if (at < (ctx.askedAt ?? 0)) recent.delete(id);
    else apply(item);
  }
  count();
}

if (words) {
  document.addEventListener("shouwang:case", heard);
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => (ctx.askedAt = performance.now()));
  document.addEventListener("htmx:after:swap", renewed);
}
