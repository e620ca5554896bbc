// Keeps the live part of a page up to date, and filters it. Everything works without it, if less conveniently.
"use strict";

const live = document.getElementById("live");
const stale = document.getElementById("stale");
const SECONDS = 5;
let tag = "";
let only = "";
let wanted = "";

/** Shows what the filter wants and hides the rest. */
function filter() {
  for (const tile of live.querySelectorAll(".tile")) {
    tile.hidden = !tile.dataset.name.includes(wanted) || (only !== "" && !tile.classList.contains(only));
  }
  for (const group of live.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector(".tile:not([hidden])");
  }
  for (const button of live.querySelectorAll("[data-only]")) {
    button.setAttribute("aria-pressed", String(button.dataset.only === only));
  }
}

/** Puts a newer rendering in place, and leaves what the reader has opened or typed as it was. */
function put(text) {
  const next = document.createElement("div");
  next.innerHTML = text;
  const before = live.querySelectorAll("details");
  next.querySelectorAll("details").forEach((details, index) => {
    details.open = before.length > index && before[index].open;
  });
  const field = live.querySelector("#filter");
  const replacement = next.querySelector("#filter");
  if (field && replacement) replacement.replaceWith(field);
  const typing = document.activeElement === field;
  live.replaceChildren(...next.childNodes);
  if (typing && field) field.focus();
  filter();
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(live.dataset.fragment, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    stale.hidden = answer.ok || answer.status === 304;
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      put(await answer.text());
    }
  } catch {
    stale.hidden = false;
  }
}

live.addEventListener("input", (event) => {
  if (event.target.id !== "filter") return;
  wanted = event.target.value.trim().toLowerCase();
  filter();
});

live.addEventListener("click", (event) => {
  const button = event.target.closest("[data-only]");
  if (!button) return;
  only = only === button.dataset.only ? "" : button.dataset.only;
  filter();
});

if (live.dataset.fragment) {
  setInterval(refresh, SECONDS * 1000);
  document.addEventListener("visibilitychange", refresh);
}
