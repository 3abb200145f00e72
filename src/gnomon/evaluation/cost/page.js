"use strict";
(() => {
  const body = document.body, tip = document.getElementById("tip");
  const show = () => document.querySelectorAll("button[data-set]").forEach((b) =>
    b.setAttribute("aria-pressed", String(body.dataset[b.dataset.set] === b.dataset.to)));
  document.querySelectorAll("button[data-set]").forEach((b) => b.addEventListener("click", () => {
    body.dataset[b.dataset.set] = b.dataset.to;
    if (b.dataset.set === "lang") document.documentElement.lang = b.dataset.to;
    show();
  }));
  document.querySelectorAll("input[data-part]").forEach((box) => box.addEventListener("change", () =>
    body.classList.toggle("no-" + box.dataset.part, !box.checked)));
  const say = (mark, x, y) => {
    tip.textContent = mark.dataset.tip;
    tip.style.visibility = "visible";
    tip.style.left = Math.min(x + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = Math.max(8, y - tip.offsetHeight - 12) + "px";
  };
  document.querySelectorAll("[data-tip]").forEach((mark) => {
    mark.setAttribute("tabindex", "0");
    mark.setAttribute("aria-label", mark.dataset.tip);
    mark.querySelectorAll("title").forEach((title) => title.remove());
    mark.addEventListener("mousemove", (e) => say(mark, e.clientX, e.clientY));
    mark.addEventListener("focus", () => {
      const at = mark.getBoundingClientRect();
      say(mark, at.right, at.top);
    });
    ["mouseleave", "blur"].forEach((name) => mark.addEventListener(name, () => { tip.style.visibility = "hidden"; }));
  });
  if (navigator.language.startsWith("ja")) { body.dataset.lang = document.documentElement.lang = "ja"; }
  show();
})();
