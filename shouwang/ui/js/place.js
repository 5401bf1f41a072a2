// Where the phone is. A form with [data-place] has hidden inputs lon and lat: they are filled when its button is pressed,
// or by themselves where data-place is "auto". Without a position, or without JavaScript, the form goes as it is.

import { t } from "./page.js";

const OPTIONS = { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 };

/** Fill the form around `place` with where the phone is, and say how exact that is. */
function locate(place) {
  const said = place.querySelector("[data-place-said]");
  const say = (words) => said && said.replaceChildren(words);
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const form = place.closest("form");
      if (!form) return;
      form.elements.lon.value = coords.longitude.toFixed(6);
      form.elements.lat.value = coords.latitude.toFixed(6);
      say(t(`已取得现在的位置（误差约 ${Math.round(coords.accuracy)} 米）`, `Position taken (within ${Math.round(coords.accuracy)} m)`));
    },
    () => place.dataset.place === "auto" || say(t("没有取得位置，请写明在哪里。", "No position; please write where it is.")),
    OPTIONS,
  );
}

if (navigator.geolocation) {
  for (const place of document.querySelectorAll("[data-place]")) {
    place.hidden = false;
    if (place.dataset.place === "auto") locate(place);
  }
  document.addEventListener("click", (event) => {
    const place = event.target.closest("[data-place-ask]")?.closest("[data-place]");
    if (place) locate(place);
  });
  document.addEventListener("reset", ({ target }) => {
    const place = target.querySelector("[data-place]");
    if (!place) return;
    target.elements.lon.value = target.elements.lat.value = "";
    if (place.dataset.place === "auto") locate(place);
  });
}
