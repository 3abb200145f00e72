// Trace: spans and their documents light up together; a phrase goes on without loading the page again.

const found = document.getElementById("found");
const continued = document.getElementById("continued");
const phrases = document.getElementById("phrases");

function light(target) {
  for (const one of found.querySelectorAll(".lit")) one.classList.remove("lit");
  const held = target?.closest?.("[data-spans]");
  if (!held) return;
  const names = held.dataset.spans.split(" ");
  for (const one of found.querySelectorAll("[data-spans]")) {
    if (one.dataset.spans.split(" ").some((name) => names.includes(name))) one.classList.add("lit");
  }
}

if (found) {
  for (const name of ["mouseover", "focusin"]) found.addEventListener(name, (event) => light(event.target));
  found.addEventListener("mouseleave", () => light(null));
}

// The same page is fetched, and its part with the phrase put here: it and its address say the same.
let asked = new AbortController();

async function go(address, remember) {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  continued.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, { signal, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const part = page.getElementById("continued");
    if (!response.ok || !part) throw new Error(page.querySelector("main")?.textContent.trim() ?? response.statusText);
    continued.replaceChildren(...part.childNodes);
    document.getElementById("phrase").value = page.getElementById("phrase").value;
    if (remember) history.pushState({}, "", address);
  } catch (error) {
    if (error.name !== "AbortError") location.href = address;
  } finally {
    if (!signal.aborted) continued.removeAttribute("aria-busy");
  }
}

continued.addEventListener("click", (event) => {
  const link = event.target.closest("[data-go]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.href, true).then(() => continued.querySelector("[data-go]")?.focus({ preventScroll: true }));
});
phrases.addEventListener("submit", (event) => {
  event.preventDefault();
  const told = new URLSearchParams(new FormData(phrases));
  for (const [name, value] of [...told]) if (!value.trim()) told.delete(name);
  go(`/trace?${told}#next`, true);
});
addEventListener("popstate", () => go(location.href, false));
