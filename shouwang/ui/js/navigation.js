// The navigation of a narrow screen is one row that scrolls: where the reader is must be in sight.

const here = document.querySelector(".masthead-nav [aria-current], .tabs [aria-current]");
const row = here?.closest(".masthead-nav, .tabs ul");
if (row) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
