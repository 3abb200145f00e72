// Playground: words of models as they are written, side by side or in a conversation.

import { events, told } from "./streams.js";

const result = document.getElementById("result");
const talk = document.getElementById("talk");

function note(text, before) {
  const made = document.createElement("p");
  made.className = "note bad";
  made.setAttribute("role", "alert");
  made.textContent = text;
  before.before(made);
}

// Side by side -------------------------------------------------------------------------------

function ended(writer, one) {
  writer.classList.add("done");
  const seen = writer.querySelector(".seen");
  seen.textContent = seen.dataset[one.finish === "length" ? "length" : "stop"].replace("#", one.tokens.toLocaleString());
  const form = writer.querySelector("form");
  form.elements.text.value += one.text;
  form.hidden = false;
}

function compared(writer, stretches) {
  writer.querySelector(".own").replaceChildren(...stretches.map(({ text, shared }) => {
    const part = document.createElement("span");
    part.className = shared ? "shared" : "";
    part.textContent = text;
    return part;
  }));
}

async function complete() {
  const status = result.querySelector(".waiting");
  const stop = document.getElementById("stop");
  const ending = new AbortController();
  const writers = Object.fromEntries([...result.querySelectorAll(".writer")].map((one) => [one.dataset.model, one]));
  let words = status.dataset.broken;
  stop.addEventListener("click", () => ending.abort());
  const show = {
    more: ({ model, text }) => writers[model].querySelector(".own").append(text),
    continuation: (one) => ended(writers[one.model], one),
    continuations: ({ continuations }) => {
      words = status.dataset.done;
      for (const one of continuations.slice(1)) compared(writers[one.model], one.stretches);
    },
  };
  try {
    for await (const [name, data] of events("/api/complete", JSON.parse(result.dataset.body), ending.signal)) {
      if (name === "problem") words = told(data);
      else show[name]?.(JSON.parse(data));
    }
  } catch (error) {
    if (error.name !== "AbortError") console.warn(error);
  }
  stop.hidden = true;
  result.removeAttribute("aria-busy");
  status.firstElementChild.textContent = ending.signal.aborted ? status.dataset.stopped : words;
}

// A conversation -----------------------------------------------------------------------------

const turns = [];
let ending = null;

function shown(question) {
  const turn = document.getElementById("turn").content.firstElementChild.cloneNode(true);
  turn.querySelector(".asked .words").textContent = question;
  turn.querySelector(".reply > .words").replaceChildren();
  talk.append(turn);
  return {
    reply: turn.querySelector(".reply"),
    thought: turn.querySelector(".thought"),
    words: turn.querySelector(".reply > .words"),
    seen: turn.querySelector(".reply > .seen"),
  };
}

function heard(parts, chunk) {
  const delta = chunk.choices[0]?.delta ?? {};
  if (delta.reasoning_content) {
    parts.thought.hidden = false;
    parts.thought.open = !parts.words.textContent;
    parts.thought.querySelector(".words").append(delta.reasoning_content);
    if (!parts.words.textContent) parts.seen.textContent = talk.dataset.thinking;
  }
  if (delta.content) {
    if (!parts.words.textContent) parts.thought.open = false;
    parts.words.append(delta.content);
    parts.seen.textContent = talk.dataset.writing;
  }
  return chunk.choices[0]?.finish_reason ?? "";
}

async function say(question, body) {
  const parts = shown(question);
  const messages = [...turns, { role: "user", content: question }];
  const stop = document.getElementById("stop");
  let [finish, tokens] = ["", 0];
  ending = new AbortController();
  stop.hidden = false;
  parts.reply.classList.add("busy");
  parts.reply.setAttribute("aria-busy", "true");
  parts.seen.textContent = talk.dataset.writing;
  const asked = { ...body, messages, stream: true, stream_options: { include_usage: true } };
  try {
    for await (const [name, data] of events("/v1/chat/completions", asked, ending.signal)) {
      if (data === "[DONE]") break;
      const chunk = name === "problem" ? null : JSON.parse(data);
      if (!chunk || chunk.error) {
        note(told(data), parts.reply);
        finish = "problem";
        break;
      }
      finish = heard(parts, chunk) || finish;
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
  } catch (error) {
    if (error.name !== "AbortError") console.warn(error);
  }
  stop.hidden = true;
  parts.reply.classList.remove("busy");
  parts.reply.removeAttribute("aria-busy");
  settled(parts, finish, tokens);
  turns.push(messages.at(-1), { role: "assistant", content: parts.words.textContent });
  if (!parts.words.textContent && finish && finish !== "problem") parts.words.append(nothing());
  return finish !== "problem" && finish !== "";
}

function nothing() {
  const made = document.createElement("span");
  made.className = "quiet";
  made.textContent = talk.dataset.none;
  return made;
}

function settled(parts, finish, tokens) {
  const words = { length: talk.dataset.length, stop: talk.dataset.stop, problem: "" };
  const without = ending.signal.aborted ? talk.dataset.stopped : talk.dataset.broken;
  parts.seen.textContent = (words[finish] ?? without).replace("#", tokens.toLocaleString());
}

function settings(form) {
  const how = new FormData(form);
  const body = { model: how.get("model"), seed: Number(how.get("seed")) };
  body.max_tokens = Number(how.get("max_tokens"));
  body.temperature = Number(how.get("temperature"));
  if (how.get("thinking") !== "auto") body.reasoning_effort = how.get("thinking") === "on" ? "medium" : "none";
  return body;
}

function remember(form, question) {
  const kept = document.createElement("input");
  Object.assign(kept, { type: "hidden", name: "q", value: question });
  form.prepend(kept);
  form.querySelector("#say").before(kept);
  const told = new URLSearchParams(new FormData(form));
  const every = told.getAll("q").filter((one) => one.trim());
  told.delete("q");
  for (const one of every) told.append("q", one);
  history.replaceState({}, "", `${form.action}?${told}`);
  document.getElementById("examples")?.remove();
  document.getElementById("anew").hidden = false;
}

function chat() {
  const form = document.getElementById("chat");
  const field = form.elements.say ?? document.getElementById("say");
  for (const turn of talk.querySelectorAll(".turn")) {
    turns.push({ role: "user", content: turn.querySelector(".asked .words").textContent });
    turns.push({ role: "assistant", content: turn.querySelector(".reply > .words").textContent });
  }
  form.addEventListener("submit", async (event) => {
    const question = field.value.trim();
    const model = form.elements.model;
    if (!question || !model.options[model.selectedIndex].defaultSelected) return; // another model: another page
    event.preventDefault();
    if (talk.querySelector(".busy")) return;
    field.value = "";
    remember(form, question);
    await say(question, settings(form));
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  document.getElementById("stop").addEventListener("click", () => ending?.abort());
  resume();
}

// What an address says is said again, in order: the same words, settings and seed bring the same replies.
async function resume() {
  const body = JSON.parse(talk.dataset.body);
  for (const question of JSON.parse(talk.dataset.waiting ?? "[]")) {
    if (!(await say(question, body))) break;
  }
}

if (result?.dataset.body) complete();
if (talk) chat();
