// Line and bar charts: a usual band, limits, marks, rain from the top. The same figures stand below as a table.
//
// `<figure data-chart data-source="ID">` where ID is a json_script of
// {times: [ISO] | categories: [text], unit, right_unit, stacked, band: {name, low, high},
//  series: [{name, values, kind: "line"|"bar", axis: "right", inverted, area, dashed}],
//  limits: [{name, value, severity}], marks: [{at, name, severity}]}.

import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

import { isStill, language, make, onRecolour, rem, source, t, token } from "./page.js";

use([BarChart, LineChart, AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

const ROWS_LIMIT = 500;
const clock = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false });
const calendar = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric" });

/** Draw the chart of `holder`, with its table, and keep it fitting. */
export function draw(holder) {
  const data = source(holder);
  if (!data) return null;
  const canvas = make("div", { class: "chart-canvas", "aria-hidden": "true" });
  holder.append(canvas, table(data, holder.querySelector("figcaption")?.textContent.trim() ?? ""));
  const chart = init(canvas, null, { renderer: "canvas" });
  const paint = () => chart.setOption(option(data), { notMerge: true });
  paint();
  onRecolour(paint);
  new ResizeObserver(() => chart.resize()).observe(canvas);
  return chart;
}

/** Return the ECharts option of our own small description. */
export function option(data) {
  const font = rem();
  const text = { color: token("--ink-2"), fontFamily: token("--font"), fontSize: Math.round(font * 0.87) };
  const series = [...band(data), ...data.series.map((each, index) => line(each, index, data))];
  const legendNames = [...data.series.map((each) => each.name), ...(data.band ? [data.band.name] : [])];
  return {
    animation: !isStill(),
    animationDuration: 300,
    textStyle: { fontFamily: token("--font") },
    color: [1, 2, 3, 4, 5].map((n) => token(`--plot-${n}`)),
    grid: { left: font * 0.5, right: font, top: font * (legendNames.length > 1 ? 2.8 : 1.8), bottom: font * 0.25, containLabel: true },
    // Rich text, not HTML: HTML tooltips carry style attributes, which the page's policy forbids.
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, backgroundColor: token("--surface"), borderColor: token("--line"), textStyle: { ...text, color: token("--ink") }, formatter: (at) => hint(at, data) },
    legend: legendNames.length > 1 ? { data: legendNames.map((name) => (name === data.band?.name ? { name, icon: "roundRect" } : name)), top: 0, right: 0, itemWidth: font, itemHeight: font * 0.65, textStyle: text } : undefined,
    xAxis: { type: "category", data: data.times ?? data.categories, boundaryGap: data.series.some((each) => each.kind === "bar"), axisLabel: { ...text, hideOverlap: true, formatter: (at) => (data.times ? hour(at) : at) }, axisLine: { lineStyle: { color: token("--line-strong") } }, axisTick: { show: false } },
    yAxis: axes(data, text),
    series,
  };
}

function axes(data, text) {
  const common = { type: "value", nameTextStyle: text, axisLabel: text, splitNumber: 4 };
  const grid = { splitLine: { lineStyle: { color: token("--line") } } };
  const first = { ...common, ...grid, name: data.unit, scale: !data.band && data.series.some((each) => each.area) };
  const right = data.series.find((each) => each.axis === "right");
  if (!right) return first;
  const most = Math.max(1, ...right.values.filter(Number.isFinite));
  return [first, { ...common, name: data.right_unit, inverse: Boolean(right.inverted), nameLocation: right.inverted ? "start" : "end", max: right.inverted ? Math.ceil(most / 2) * 5 : undefined, splitLine: { show: false } }];
}

function band(data) {
  if (!data.band) return [];
  const still = { type: "line", stack: "band", symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false } };
  const width = data.band.high.map((high, index) => high - data.band.low[index]);
  return [
    { ...still, data: data.band.low },
    { ...still, name: data.band.name, data: width, color: token("--line-strong"), areaStyle: { color: token("--line-strong"), opacity: 0.28 } },
  ];
}

function line(each, index, data) {
  const colour = token(`--plot-${(index % 5) + 1}`);
  const shared = { name: each.name, data: each.values, color: colour, yAxisIndex: each.axis === "right" ? 1 : 0, markLine: index === 0 ? guides(data) : undefined };
  if (each.kind === "bar") return { ...shared, type: "bar", stack: data.stacked ? "all" : undefined, barMaxWidth: rem() * 2, itemStyle: { borderColor: token("--surface"), borderWidth: data.stacked ? 1 : 0 } };
  return { ...shared, type: "line", symbol: each.values.length > 60 ? "none" : "circle", symbolSize: rem() * 0.33, lineStyle: { width: rem() * 0.16, type: each.dashed ? "dashed" : "solid" }, areaStyle: each.area ? { opacity: 0.14 } : undefined };
}

function guides(data) {
  const style = (severity) => ({ color: token(`--${severity ?? "orange"}-text`), type: "dashed", width: rem() * 0.1 });
  const word = (item, position) => ({ formatter: item.name, position, color: token(`--${item.severity ?? "orange"}-text`), fontFamily: token("--font"), fontSize: Math.round(rem() * 0.87), fontWeight: 600 });
  const limits = (data.limits ?? []).map((item) => ({ yAxis: item.value, lineStyle: style(item.severity), label: word(item, "insideStartTop") }));
  const marks = (data.marks ?? []).map((item) => ({ xAxis: item.at, lineStyle: style(item.severity), label: { ...word(item, "end"), rotate: 0 } }));
  return limits.length + marks.length ? { symbol: "none", silent: true, animation: false, data: [...limits, ...marks] } : undefined;
}

function hint(at, data) {
  const index = at[0].dataIndex;
  const lines = data.series.map((each) => `${each.name}  ${amount(each.values[index])} ${unit(each, data)}`);
  if (data.band) lines.push(`${data.band.name}  ${data.band.low[index]}–${data.band.high[index]} ${data.unit}`);
  return [data.times ? full(data.times[index]) : data.categories[index], ...lines].join("\n");
}

function table(data, caption) {
  const labels = data.times ? data.times.map(full) : data.categories;
  const head = make("tr", {}, make("th", { scope: "col" }, data.times ? t("时间", "Time") : ""), ...data.series.map((each) => make("th", { scope: "col", class: "number" }, `${each.name} (${unit(each, data)})`)));
  const rows = labels.slice(-ROWS_LIMIT).map((label, at) => {
    const index = at + Math.max(0, labels.length - ROWS_LIMIT);
    return make("tr", {}, make("td", { "data-label": t("时间", "Time") }, label), ...data.series.map((each) => make("td", { class: "number", "data-label": each.name }, amount(each.values[index]))));
  });
  const box = make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": caption || t("数据", "Data") }, make("table", { class: "data" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  return make("details", { class: "chart-data" }, make("summary", {}, t("数据表", "Data table")), box);
}

function unit(each, data) {
  return (each.axis === "right" ? data.right_unit : data.unit) ?? "";
}

function amount(value) {
  return value === null || value === undefined ? "—" : String(value);
}

function hour(at) {
  return clock.format(new Date(at));
}

function full(at) {
  return `${calendar.format(new Date(at))} ${hour(at)}`;
}

for (const holder of document.querySelectorAll("[data-chart]")) draw(holder);
