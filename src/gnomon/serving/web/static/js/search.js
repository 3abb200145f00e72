// Search as one types: the form's own address, its results alone, put in place of those before; a newer wish ends an older one.

const form = document.getElementById("search");
const results = document.getElementById("results");
const WAIT_MS = 180;
const words = { en: "The search failed: ", ja: "検索できなかった: " };
const away = { en: "the server does not answer.", ja: "サーバーが応答しない。" };
let timer = 0;
let asked = new AbortController();

// What is asked for that no control holds: a paper whose like is looked for, and the page.
function address(extra = {}) {
  const told = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value.trim() && value !== "hybrid" && value !== "best") told.set(name, value.trim());
  }
  for (const [name, value] of Object.entries(extra)) told.set(name, value);
  return told.size ? `/search?${told}` : "/search";
}

async function show(url, remember) {
  clearTimeout(timer);
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  results.setAttribute("aria-busy", "true");
  try {
    const fetched = new URL(url, location.href);
    fetched.searchParams.set("part", "results");
    const answer = await fetch(fetched, { signal, headers: { accept: "text/html, application/problem+json;q=0.9" } });
    const text = await answer.text();
    if (signal.aborted) return;
    if (!answer.ok) throw new Error(reason(text));
    results.innerHTML = text;
    if (remember) history[remember]({}, "", url);
  } catch (error) {
    if (error.name === "TypeError") complain(spoken(away)); // what a browser says of a lost connection is its own words
    else if (error.name !== "AbortError") complain(error.message);
  } finally {
    if (!signal.aborted) results.removeAttribute("aria-busy");
  }
}

function spoken(told) {
  return told[document.documentElement.lang] ?? told.en;
}

// Why it failed, read from the page that says so.
function reason(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const told = [...page.querySelectorAll("main .told")].map((part) => part.textContent.trim());
  return told.join(" ") || "…";
}

function complain(message) {
  const note = document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = spoken(words) + message;
  results.querySelector(".note.bad")?.remove();
  results.prepend(note);
}

// Controls follow an address that a link or the browser's history leads to.
function follow(url) {
  const told = new URL(url, location.href).searchParams;
  for (const control of form.elements) {
    if (!control.name) continue;
    const usual = { mode: "hybrid", sort: "best" }[control.name] ?? "";
    if (control !== document.activeElement || control.name !== "q") control.value = told.get(control.name) ?? usual;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show(address(), "pushState");
});

form.addEventListener("input", (event) => {
  if (event.isComposing) return; // Japanese is typed in pieces that are no words yet
  clearTimeout(timer);
  timer = setTimeout(() => show(address(), "replaceState"), WAIT_MS);
});
form.addEventListener("compositionend", () => {
  clearTimeout(timer);
  timer = setTimeout(() => show(address(), "replaceState"), WAIT_MS);
});

results.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
  event.preventDefault();
  const url = link.getAttribute("href");
  const turned = link.closest(".pages") !== null;
  await show(url, "pushState");
  follow(url);
  if (turned) document.getElementById("main").focus();
  if (turned || results.getBoundingClientRect().top < 0) form.scrollIntoView({ block: "start" });
});

addEventListener("popstate", () => {
  follow(location.href);
  show(location.pathname + location.search, null);
});
