// Selecting words of the text offers a link to exactly these characters: the address that citations use.

const text = document.getElementById("text");
const here = document.getElementById("here");

// Characters of a DOM string count as UTF-16 units; spans count code points.
function points(string) {
  return [...string].length;
}

// The character of the document at a place of the page; mathematics counts as a whole.
function place(node, offset, atEnd) {
  const part = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest("[data-at]");
  if (!part || !text.contains(part)) return null;
  const start = Number(part.dataset.at);
  if (part.querySelector("math")) return atEnd ? start + points(part.querySelector("math").getAttribute("alttext")) : start;
  return start + (node.nodeType === Node.TEXT_NODE ? points(node.data.slice(0, offset)) : 0);
}

document.addEventListener("selectionchange", () => {
  const chosen = document.getSelection();
  if (!chosen.rangeCount || chosen.isCollapsed) {
    here.hidden = true;
    return;
  }
  const range = chosen.getRangeAt(0);
  const start = place(range.startContainer, range.startOffset, false);
  const end = place(range.endContainer, range.endOffset, true);
  here.hidden = start === null || end === null || start >= end;
  if (here.hidden) return;
  here.href = `${text.dataset.page}?start=${start}&end=${end}#span`;
  here.textContent = `${here.dataset.label} ${start}–${end}`;
});
