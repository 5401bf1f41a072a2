// Bundles the browser modules of shouwang/ui/js with the packages of the lock file into static/ui/built,
// prints what each weighs on the wire, and fails where a page would pass its budget.

import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const UI = join(ROOT, "shouwang/ui");
const BUILT = join(UI, "static/ui/built");
const CSS = join(UI, "static/ui/shouwang.css");
const ENTRIES = ["desk", "map", "chart", "phone", "zones"];
const LICENSED = ["htmx.org", "leaflet", "echarts", "zrender"];
const BUDGETS = { "desk page": [350_000, ["desk.js", "map.js", "chart.js", "leaflet.css"]], "phone page": [24_000, ["phone.js"]] };

rmSync(BUILT, { recursive: true, force: true });
mkdirSync(BUILT, { recursive: true });
await build({
  entryPoints: ENTRIES.map((name) => join(UI, "js", `${name}.js`)),
  outdir: BUILT,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome100", "firefox100", "safari15.4"],
  legalComments: "none",
  logLevel: "warning",
  nodePaths: [join(ROOT, "node_modules")],
});
copyFileSync(join(ROOT, "node_modules/leaflet/dist/leaflet.css"), join(BUILT, "leaflet.css"));
writeFileSync(join(BUILT, "LICENSES.txt"), LICENSED.map(licence).join("\n\n"));

const sizes = Object.fromEntries(["desk.js", "map.js", "chart.js", "phone.js", "leaflet.css"].map((name) => [name, weigh(join(BUILT, name))]));
const style = weigh(CSS);
for (const [name, bytes] of [["shouwang.css", style], ...Object.entries(sizes)]) console.log(`${name.padEnd(14)} ${kB(bytes)} gz`);
let failed = false;
for (const [page, [budget, parts]] of Object.entries(BUDGETS)) {
  const total = style + parts.reduce((sum, name) => sum + sizes[name], 0);
  console.log(`${page.padEnd(14)} ${kB(total)} gz of ${kB(budget)}`);
  failed ||= total > budget;
}
if (failed) {
  console.error("A page passed its budget: make it lighter, or change the budget with a reason.");
  process.exit(1);
}

function licence(name) {
  const folder = join(ROOT, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = ["LICENSE", "LICENSE.txt", "NOTICE"].map((file) => join(folder, file)).filter((file) => statSync(file, { throwIfNoEntry: false }));
  return [`${name} ${version} (${license})`, ...files.map((file) => readFileSync(file, "utf8"))].join("\n\n");
}

function weigh(file) {
  return gzipSync(readFileSync(file), { level: 9 }).length;
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
}
