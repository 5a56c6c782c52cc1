"use strict";
// Tables that sort and filter, masters that open, and the choice of theme.

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- theme ------------------------------------------------------------------------------------

const themeChoice = document.getElementById("theme");

function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new Event("themechange"));
}

function rememberTheme(theme) {
  // A page opened from disk may be denied storage: the choice then lasts as long as the page.
  try {
    if (theme === undefined) return localStorage.getItem("calibrary-theme");
    localStorage.setItem("calibrary-theme", theme);
  } catch { /* denied */ }
  return null;
}

themeChoice.value = rememberTheme() || "auto";
applyTheme(themeChoice.value);
themeChoice.addEventListener("change", () => {
  rememberTheme(themeChoice.value);
  applyTheme(themeChoice.value);
});

// --- sorting ----------------------------------------------------------------------------------

function sortKey(row, column, kind) {
  const cell = row.cells[column];
  const text = cell.dataset.sort ?? cell.textContent.trim();
  if (kind !== "number") return text;
  const number = parseFloat(text);
  return Number.isNaN(number) ? null : number;
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
}

function isMissing(key) {
  return key === null || key === "" || key === "–";
}

function sortTable(button) {
  const head = button.closest("th");
  const table = button.closest("table");
  const descending = head.getAttribute("aria-sort") === "ascending";
  $$("th[aria-sort]", table).forEach((th) => th.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].filter((row) => !row.classList.contains("detail"));
  const keyed = rows.map((row) => ({
    row,
    detail: row.classList.contains("master") ? row.nextElementSibling : null,
    key: sortKey(row, head.cellIndex, button.dataset.kind),
  }));
  keyed.sort((a, b) => {
    // What is unknown stays at the end, whichever way the rest is sorted.
    if (isMissing(a.key) || isMissing(b.key)) return isMissing(a.key) - isMissing(b.key);
    return descending ? compare(b.key, a.key) : compare(a.key, b.key);
  });
  const sorted = document.createDocumentFragment();
  for (const { row, detail } of keyed) {
    sorted.append(row);
    if (detail) sorted.append(detail);
  }
  body.append(sorted);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button.sort");
  if (button) sortTable(button);
});

// --- opening a master -------------------------------------------------------------------------

function detailOf(row) {
  return document.getElementById(row.querySelector("button.open").getAttribute("aria-controls"));
}

async function unfold(detail, row) {
  if (detail.dataset.unfolded) return;
  detail.dataset.unfolded = "yes";
  const cell = detail.cells[0];
  const { html } = await packedIn(cell);
  // Made by the report's own templates, with all that came from headers escaped.
  cell.insertAdjacentHTML("beforeend", html);
  const picture = cell.querySelector(".preview img");
  if (picture) picture.src = row.querySelector("img").src;
  document.dispatchEvent(new CustomEvent("unfolded", { detail }));
}

function setOpen(row, open) {
  const detail = detailOf(row);
  if (open) unfold(detail, row);
  row.querySelector("button.open").setAttribute("aria-expanded", String(open));
  row.classList.toggle("is-open", open);
  detail.hidden = !open || row.hidden;
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("tr.master");
  if (!row || !event.target.closest("button.open, td.thumb img")) return;
  setOpen(row, !row.classList.contains("is-open"));
});

function openFromAddress() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!row || !row.classList.contains("master")) return;
  if (row.hidden) {
    filterForm.reset();
    applyFilters();
  }
  setOpen(row, true);
  row.scrollIntoView({ block: "start" });
  row.querySelector("button.open").focus({ preventScroll: true });
}

window.addEventListener("hashchange", openFromAddress);

// --- filtering --------------------------------------------------------------------------------

const filterForm = document.querySelector(".filters");
const masterRows = $$("tr.master");

function applyFilters() {
  const words = document.getElementById("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  const choices = $$("select[data-field]", filterForm).filter((select) => select.value);
  let shown = 0;
  for (const row of masterRows) {
    const fits = words.every((word) => row.dataset.text.includes(word))
      && choices.every((select) => row.dataset[select.dataset.field] === select.value);
    row.hidden = !fits;
    detailOf(row).hidden = !fits || !row.classList.contains("is-open");
    shown += fits;
  }
  for (const setup of $$("#masters .setup")) {
    setup.hidden = !setup.querySelector("tr.master:not([hidden])");
  }
  document.querySelector(".nothing").hidden = shown > 0;
  document.getElementById("shown").textContent = `${shown} of ${masterRows.length} masters`;
}

if (filterForm) {
  filterForm.addEventListener("input", applyFilters);
  filterForm.addEventListener("submit", (event) => event.preventDefault());
  filterForm.addEventListener("reset", () => setTimeout(applyFilters));
  // What was typed before this script ran, or kept by the browser over a reload.
  applyFilters();
}
