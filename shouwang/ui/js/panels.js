// htmx on our terms: the CSRF token on every unsafe request, and a panel that fails says so and offers a retry
// while the rest of the page lives. Forms answered with 400, 409 or 422 are shown: they carry the corrections.

import htmx from "htmx.org";

import { make, t } from "./page.js";
import { tick } from "./countdown.js";

const SHOWN = new Set([400, 409, 422]);

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && !/GET|HEAD/.test(ctx.request.method)) ctx.request.headers["X-CSRFToken"] = token;
});

document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400 || SHOWN.has(ctx.response.status)) return;
  event.preventDefault();
  failed(ctx.sourceElement, `${ctx.response.status}`);
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  failed(ctx?.sourceElement, t("没有网络或服务器没有回应", "no network, or no answer"));
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  tick();
  // On a narrow or large-print screen the drawer stands below the list: what was asked for comes into sight.
  if (ctx?.sourceElement?.matches?.("[data-shows]")) ctx.target?.scrollIntoView?.({ block: "nearest" });
});

function failed(element, why) {
  const panel = element?.closest("[data-panel]");
  const place = panel?.querySelector(".panel-body") ?? document.getElementById("messages");
  if (!place) return;
  const words = t(`没有取到数据（${why}）。`, `Could not load (${why}). `);
  const notice = make("div", { class: panel ? "panel-failed" : "message error", role: "alert" }, words);
  if (panel && element.isConnected) {
    const retry = make("button", { class: "button", type: "button" }, t("重试", "Try again"));
    retry.addEventListener("click", () => {
      notice.remove();
      htmx.trigger(element, "retry");
    });
    notice.append(" ", retry);
  }
  place.querySelector(":scope > [role=alert]")?.remove();
  place.prepend(notice);
}
