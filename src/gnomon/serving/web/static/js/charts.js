// Tips: whatever a mark says of itself in a title is shown beside the pointer, and beside the mark for the keyboard.

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("role", "status");
document.body.append(tip);

function show(words, x, y) {
  tip.textContent = words;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${Math.max(8, y - box.height - 12)}px`;
}

function hide() {
  tip.hidden = true;
}

// A stylesheet cannot know where a pointer is: `tip.style` is the object model's, which the page's policy allows.
for (const mark of document.querySelectorAll(".drawn [title], .chart [title], .drawn svg :has(> title), .chart svg :has(> title)")) {
  const title = mark.querySelector(":scope > title");
  const words = mark.getAttribute("title") ?? title?.textContent ?? "";
  if (!words) continue;
  mark.dataset.tip = words;
  mark.removeAttribute("title");
  title?.remove();
  const drawing = mark.closest(".chart");
  if (mark.querySelector("a")) {
    mark.setAttribute("role", "group");
    mark.setAttribute("aria-label", words);
  } else if (drawing || mark.textContent.trim() === "–") {
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", words);
    if (drawing) mark.setAttribute("tabindex", "0");
  } else if (mark.textContent.trim()) {
    mark.setAttribute("aria-description", words);
  }
}

// What is larger than its frame can be scrolled with the keyboard; what is folded has a size when it opens.
function reach() {
  for (const frame of document.querySelectorAll(".drawn .wide, .scroll")) {
    if (frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight) frame.setAttribute("tabindex", "0");
  }
}
reach();
document.addEventListener("toggle", reach, true);

document.addEventListener("pointermove", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  if (mark) show(mark.dataset.tip, event.clientX, event.clientY);
  else hide();
});
document.addEventListener("focusin", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  if (!mark) return hide();
  const box = event.target.getBoundingClientRect();
  show(mark.dataset.tip, box.right, box.top);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
