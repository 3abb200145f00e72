// Ask: the answer as it grows, evidence that lights up with what cites it, colours, copies.

import { events, told } from "./streams.js";

const result = document.getElementById("result");
const answer = document.getElementById("answer");
const evidence = document.getElementById("evidence");

// A model's answer, sentence by sentence -----------------------------------------------------

function problem(text) {
  const note = document.createElement("p");
  note.className = "note bad";
  note.textContent = told(text);
  answer.prepend(note);
}

async function follow() {
  const status = result.querySelector(".waiting");
  const stop = document.getElementById("stop");
  const ending = new AbortController();
  const say = (text) => { status.firstElementChild.textContent = text; };
  stop.addEventListener("click", () => ending.abort());
  let whole = false;
  const show = {
    evidence: (html) => { evidence.innerHTML = html; if (!whole) say(status.dataset.reading); },
    writing: (json) => {
      const { thinking, characters } = JSON.parse(json);
      say((thinking ? status.dataset.thinking : status.dataset.writing).replace("#", characters.toLocaleString()));
    },
    sentence: (html) => answer.querySelector(".sentences").insertAdjacentHTML("beforeend", html),
    answer: (html) => { whole = true; answer.innerHTML = html; ready(); },
    problem: (text) => { whole = true; problem(text); document.getElementById("again").hidden = false; },
  };
  try {
    for await (const [name, data] of events(result.dataset.events, null, ending.signal)) show[name]?.(data);
  } catch (error) {
    if (error.name !== "AbortError") console.warn(error);
  }
  stop.hidden = true;
  status.classList.toggle("unseen", whole);
  if (whole) say(status.dataset.done);
  else {
    say(ending.signal.aborted ? status.dataset.stopped : status.dataset.broken);
    document.getElementById("again").hidden = false;
  }
  result.removeAttribute("aria-busy");
}

// What belongs together lights up --------------------------------------------------------------

function light(target) {
  for (const one of result.querySelectorAll(".lit")) one.classList.remove("lit");
  const held = target?.closest?.("[data-evidence], .sentence");
  if (!held) return;
  const names = (held.dataset.evidence ?? held.dataset.cites).split(" ").filter(Boolean);
  if (!names.length) return;
  for (const one of result.querySelectorAll("[data-evidence]")) {
    if (one.dataset.evidence.split(" ").some((name) => names.includes(name))) one.classList.add("lit");
  }
  const cites = (sentence) => sentence.dataset.cites.split(" ").some((name) => names.includes(name));
  for (const one of result.querySelectorAll(".sentence")) {
    if (held.classList.contains("sentence") ? one === held : cites(one)) one.classList.add("lit");
  }
}

// Tools ----------------------------------------------------------------------------------------

function ready() {
  for (const button of answer.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

async function copy(button) {
  const response = await fetch(button.dataset.copy);
  const told = button.textContent;
  await navigator.clipboard.writeText(await response.text());
  button.textContent = document.documentElement.lang === "ja" ? "コピーした" : "Copied";
  setTimeout(() => { button.textContent = told; }, 1600);
}

async function recolour(link) {
  const from = new URL(link.dataset.from, location.href);
  for (const [name, value] of new URL(link.href).searchParams) {
    if (name === "voice" || name === "q" || name === "after") from.searchParams.append(name, value);
  }
  const response = await fetch(from);
  if (!response.ok) {
    problem(await response.text());
    return;
  }
  answer.innerHTML = await response.text();
  const here = new URL(location.href);
  if (from.searchParams.has("colours")) here.searchParams.set("colours", "1");
  else here.searchParams.delete("colours");
  history.replaceState({}, "", here);
  ready();
  answer.querySelector("[data-part]")?.focus();
}

document.querySelector("#ask select")?.addEventListener("change", (event) => {
  document.getElementById("about").textContent = event.target.selectedOptions[0].dataset.about;
});

if (result) {
  for (const name of ["mouseover", "focusin"]) result.addEventListener(name, (event) => light(event.target));
  result.addEventListener("mouseleave", () => light(null));
  result.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    const link = event.target.closest("[data-part]");
    if (button) copy(button);
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      recolour(link);
    }
  });
  ready();
  if (result.dataset.events) follow();
}
