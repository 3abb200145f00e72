// The bar: the switch of colours works without loading the page again, and "/" leads to the search field.

const ORDER = ["auto", "dark", "light"];
const NAMES = { en: ["Auto", "Dark", "Light"], ja: ["自動", "暗", "明"] };
const root = document.documentElement;
const theme = document.getElementById("theme");

theme.addEventListener("click", (event) => {
  event.preventDefault();
  const at = (ORDER.indexOf(root.dataset.theme) + 1) % ORDER.length;
  root.dataset.theme = ORDER[at];
  theme.textContent = (NAMES[root.lang] ?? NAMES.en)[at];
  document.cookie = `theme=${ORDER[at]}; path=/; max-age=31536000; samesite=lax`;
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const field = document.querySelector("main input[type=search], main textarea");
  if (event.key !== "/" || typing || !field || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  field.focus();
  field.select();
});
