// Red cases of which nobody at this desk has taken note: a bar names them until they are noted or opened, and where the
// sound is switched on a tone repeats, from one tab only. What was noted is kept in the browser and shared by its tabs.
// A browser plays nothing before the page was touched once: the switch says so until then.

import htmx from "htmx.org";

import { t } from "./page.js";

const EVERY_MS = 4000;
const WAIT_MS = 150;
const TONES_HZ = [880, 660, 880];
const TONE_S = 0.2;
const SOUND = "shouwang-sound";
const NOTED = "shouwang-reds";
const bar = document.querySelector("[data-alarm]");
const button = document.querySelector("[data-sound]");
const channel = bar && "BroadcastChannel" in window ? new BroadcastChannel("shouwang-alarm") : null;
const me = Math.random();

let waiting = [];
let audio = null;
let timer = 0;
let rival = { id: 1, at: -Infinity };

/** Return what was noted: ids, and the id below which everything counts as noted; null before the first time. */
function noted() {
  try {
    return JSON.parse(localStorage.getItem(NOTED));
  } catch {
    return null;
  }
}

function note(ids) {
  const { floor, known } = noted() ?? { floor: 0, known: [] };
  localStorage.setItem(NOTED, JSON.stringify({ floor, known: [...new Set([...known, ...ids])] }));
  read();
}

/** Look at the red cases the page holds now: what is new rings, what has ended is forgotten. */
function read() {
  const list = document.querySelector("[data-reds]");
  if (!list) return;
  const rows = [...list.children];
  const ids = rows.map((row) => Number(row.dataset.red));
  const isWhole = rows.length < Number(list.dataset.most);
  const before = noted() ?? { floor: isWhole ? 0 : Math.min(...ids), known: ids };
  const known = isWhole ? before.known.filter((id) => ids.includes(id)) : before.known;
  localStorage.setItem(NOTED, JSON.stringify({ floor: before.floor, known }));
  waiting = rows.filter((row) => Number(row.dataset.red) >= before.floor && !known.includes(Number(row.dataset.red)));
  show();
}

function show() {
  const [newest] = waiting;
  bar.hidden = !newest;
  const words = newest ? (waiting.length > 1 ? t(`红色预警 ${waiting.length} 条，最新：`, `${waiting.length} red alerts, the newest: `) : t("红色预警：", "Red alert: ")) + newest.textContent : "";
  const place = bar.querySelector("[data-alarm-text]");
  if (place.textContent !== words) place.textContent = words;
  if (newest && !timer) {
    timer = setInterval(ring, EVERY_MS);
    ring();
  } else if (!newest) {
    clearInterval(timer);
    timer = 0;
  }
}

function isOn() {
  return localStorage.getItem(SOUND) === "on";
}

/** Sound once, unless another tab of this browser does: of those that can, the one with the lowest number. */
function ring() {
  if (!isOn() || audio?.state !== "running") return;
  channel?.postMessage({ rings: me });
  setTimeout(() => {
    const isAnothers = rival.id < me && performance.now() - rival.at < 1.5 * EVERY_MS;
    if (waiting.length && isOn() && !isAnothers) tone();
  }, WAIT_MS);
}

function tone() {
  TONES_HZ.forEach((hz, index) => {
    const at = audio.currentTime + index * TONE_S;
    const [source, loudness] = [audio.createOscillator(), audio.createGain()];
    source.frequency.value = hz;
    loudness.gain.setValueAtTime(0.0001, at);
    loudness.gain.exponentialRampToValueAtTime(0.3, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + TONE_S);
    source.connect(loudness).connect(audio.destination);
    source.start(at);
    source.stop(at + TONE_S);
  });
}

function say() {
  const isReady = audio?.state === "running";
  button.setAttribute("aria-pressed", isOn());
  button.textContent = !isOn() ? t("红色提示音：关", "Sound on red: off")
    : isReady ? t("红色提示音：开", "Sound on red: on")
      : t("红色提示音：点一下页面才能响", "Sound on red: click the page once to allow it");
}

async function wake() {
  if (!isOn()) return;
  audio ??= new AudioContext();
  audio.onstatechange = say;
  await audio.resume();
  say();
}

async function toggle() {
  localStorage.setItem(SOUND, isOn() ? "off" : "on");
  say();
  await wake();
  if (isOn()) tone(); // so that whoever switches it on hears how it sounds
}

/** Show the newest red case in the drawer and take it as noted. */
function open() {
  const [newest] = waiting;
  if (!newest) return;
  const drawer = document.getElementById("drawer");
  htmx.ajax("GET", newest.dataset.drawer, { target: "#drawer", swap: "innerHTML" });
  drawer.scrollIntoView({ block: "nearest" });
  note([Number(newest.dataset.red)]);
}

function followed({ target }) {
  const row = target.closest?.("a[data-shows]")?.closest("[data-point]");
  const id = Number(row?.dataset.point);
  if (waiting.some((each) => Number(each.dataset.red) === id)) note([id]);
}

if (bar) {
  channel?.addEventListener("message", ({ data }) => {
    if (data.rings < me) rival = { id: data.rings, at: performance.now() };
  });
  addEventListener("storage", ({ key }) => (key === NOTED ? read() : key === SOUND && say()));
  for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, () => audio?.state === "running" || wake());
  bar.querySelector("[data-alarm-known]").addEventListener("click", () => {
    note(waiting.map((row) => Number(row.dataset.red)));
    document.getElementById("queue").focus({ preventScroll: true });
  });
  bar.querySelector("[data-alarm-open]").addEventListener("click", open);
  document.addEventListener("click", followed);
  document.addEventListener("htmx:after:swap", read);
  document.addEventListener("shouwang:reds", read);
  button.addEventListener("click", toggle);
  button.hidden = !("AudioContext" in window);
  if (isOn()) wake();
  say();
  read();
}
