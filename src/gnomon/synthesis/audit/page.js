"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const WORDS = {
  en: {
    title: "Audit of synthetic pairs", passage: "What it rests on", pair: "Pair", answer: "Answer",
    thinking: "Chain of reasoning", ask: "Is this pair sound?", verdicts: "What the judges said", judge: "Judge",
    criterion: "Criterion", score: "Score", reason: "Reason", previous: "← Back", next: "Next →",
    nextOpen: "Next unlabelled", download: "Download labels",
    blind: "Label before you open what the judges said: labels set the judges' threshold.",
    keys: "Keys: 1–9 label and go on, 0 takes the label back, ← → or K J move, U next unlabelled, V verdicts, D download.",
    kept: "Labels are kept in this browser only; download them as JSONL and give the file to synthesis.select(labels=…).",
    unkept: "This browser keeps nothing for this page: download your labels before you close it.",
    noPassage: "The document of this pair is not here; this is what it quotes.", nothing: "No judge has seen this pair.",
    labels: {
      sound: "Sound", wrong_number: "Wrong number", not_in_passage: "Answer not in the passage",
      leaking: "The question gives the answer away", dangling: "Refers to something not said",
      swapped_name: "Wrong name", negation: "Says the opposite", other_fault: "Another fault", unsure: "Unsure",
    },
    kinds: {},
    criteria: {
      accept: "Accepted (probability)", correctness: "Correctness", stand_alone: "Stands alone",
      pertinence: "Pertinence", educational: "Educational value",
    },
    passed: (n) => `${n} checks passed`,
    count: (n, all) => `${n} of ${all} labelled`, empty: "There are no pairs to show.",
  },
  ja: {
    title: "合成した質問と回答の監査", passage: "根拠となる箇所", pair: "対", answer: "答え", thinking: "推論の過程",
    ask: "この対は正しいか", verdicts: "判定者の評価", judge: "判定者", criterion: "観点", score: "点", reason: "理由",
    previous: "← 前", next: "次 →", nextOpen: "次の未判定へ", download: "ラベルを保存",
    blind: "判定者の評価を開く前にラベルを付けること。ラベルは判定のしきい値を決めるのに使う。",
    keys: "キー: 1〜9 ラベルを付けて次へ、0 取り消し、← → または K J で移動、U 次の未判定、V 評価を開く、D 保存。",
    kept: "ラベルはこのブラウザにだけ残る。JSONL として保存し、synthesis.select(labels=…) に渡す。",
    unkept: "このブラウザはこの頁の内容を保持しない。閉じる前にラベルを保存すること。",
    noPassage: "この対の文書はここにない。引用だけを示す。", nothing: "まだ判定されていない。",
    labels: {
      sound: "正しい", wrong_number: "数値の誤り", not_in_passage: "答えが本文にない", leaking: "問いが答えを含む",
      dangling: "指すものがない", swapped_name: "名前の誤り", negation: "意味が逆", other_fault: "その他の誤り",
      unsure: "分からない",
    },
    kinds: {
      open: "記述", choice: "選択", definition: "定義", numeric: "数値", relation: "関係", cloze: "穴埋め",
      metadata: "書誌", reasoning: "推論", dialogue: "対話", summary: "要約",
    },
    criteria: {
      accept: "採用（確率）", correctness: "正しさ", stand_alone: "単独で分かる", pertinence: "関連", educational: "学ぶ価値",
    },
    passed: (n) => `${n} 項目の検査を通過`,
    count: (n, all) => `${all} 件のうち ${n} 件に付けた`, empty: "表示する対がない。",
  },
};
const KEY = "gnomon-audit-" + data.identity, LANGUAGE = "gnomon-audit-language";
const $ = (id) => document.getElementById(id);
let said = read(), at = 0, lang = "en";

function read() {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(KEY) || "{}")));
  } catch {
    return new Map();
  }
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(said)));
  } catch {
    $("unkept").hidden = false;
  }
}

function el(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function speak(language) {
  lang = language;
  document.documentElement.lang = lang;
  document.title = WORDS[lang].title + " – Gnomon";
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = WORDS[lang][place.dataset.say];
  $("language").textContent = lang === "en" ? "日本語" : "English";
  $("language").lang = lang === "en" ? "ja" : "en";
  try { localStorage.setItem(LANGUAGE, lang); } catch { /* the choice is not kept, then */ }
  $("labels").replaceChildren(...data.labels.map((label, number) => {
    const button = el("button", undefined, { type: "button", "data-label": label });
    button.append(el("kbd", String(number + 1)), el("span", WORDS[lang].labels[label]));
    button.addEventListener("click", () => put(label));
    return button;
  }));
  show();
}

function passages(pair) {
  if (!pair.passages.length) {
    return [el("p", WORDS[lang].noPassage, { class: "small" }), ...pair.quotes.map((quote) => {
      const made = el("p");
      made.append(el("mark", quote));
      return made;
    })];
  }
  return pair.passages.map((runs) => {
    const made = el("p");
    made.append(...runs.map(([text, quoted]) => quoted ? el("mark", text) : document.createTextNode(text)));
    return made;
  });
}

function line(...cells) {
  const row = el("tr");
  row.append(...cells.map((text, place) => el("td", text, place === 2 ? { class: "n" } : {})));
  return row;
}

function verdicts(pair) {
  const said = WORDS[lang].criteria, first = pair.verdicts.filter((verdict) => verdict.criterion in said);
  const checks = pair.verdicts.filter((verdict) => !(verdict.criterion in said));
  const passed = checks.filter((verdict) => verdict.score === 1 && !verdict.reason);
  const rows = [...first, ...checks.filter((verdict) => !passed.includes(verdict))].map((verdict) => line(
    verdict.judge, said[verdict.criterion] || verdict.criterion, String(Math.round(verdict.score * 1000) / 1000), verdict.reason));
  if (passed.length) rows.push(line("", WORDS[lang].passed(passed.length), "", passed.map((verdict) => verdict.criterion).join(", ")));
  if (!rows.length) rows.push(line("", WORDS[lang].nothing, "", ""));
  return rows;
}

function show() {
  const pair = data.pairs[at];
  $("main").hidden = !pair;
  if (!pair) { $("count").textContent = WORDS[lang].empty; return; }
  for (const id of ["question", "answer", "thinking", "passages", "choices", "turns"]) $(id).lang = pair.lang;
  $("doc-title").textContent = pair.title;
  $("doc-title").lang = pair.lang;
  $("doc-id").textContent = pair.document;
  $("passages").replaceChildren(...passages(pair));
  $("place").textContent = `${at + 1} / ${data.pairs.length}`;
  $("kind").textContent = `· ${WORDS[lang].kinds[pair.kind] || pair.kind} · ${pair.writer}`;
  $("question").textContent = pair.question;
  $("choices").hidden = !pair.choices.length;
  $("choices").replaceChildren(...pair.choices.map((choice) => el("li", choice, choice === pair.answer ? { class: "right" } : {})));
  $("answer-block").hidden = pair.choices.length > 0;
  $("answer").textContent = pair.answer;
  $("turns").replaceChildren(...pair.turns.map((turn) => el("p", turn.text, { class: turn.role === "user" ? "question" : "" })));
  $("thinking-block").hidden = !pair.thinking;
  $("thinking").textContent = pair.thinking;
  $("verdicts").replaceChildren(...verdicts(pair));
  $("verdicts-block").open = false;
  $("previous").disabled = at === 0;
  $("next").disabled = at === data.pairs.length - 1;
  const mark = document.querySelector("mark"), box = $("passages");
  if (mark) box.scrollTop += mark.getBoundingClientRect().top - box.getBoundingClientRect().top - 60;
  count();
}

function count() {
  const label = said.get(data.pairs[at].id), known = data.pairs.filter((pair) => said.has(pair.id)).length;
  for (const button of $("labels").children) button.setAttribute("aria-pressed", String(button.dataset.label === label));
  $("count").textContent = WORDS[lang].count(known, data.pairs.length);
  $("bar").max = data.pairs.length;
  $("bar").value = known;
  $("download").disabled = known === 0;
  $("next-open").disabled = known === data.pairs.length;
  [...$("dots").children].forEach((place, number) => {
    const button = place.firstChild, word = said.get(data.pairs[number].id);
    button.dataset.said = !word ? "" : ["sound", "unsure"].includes(word) ? word : "fault";
    button.setAttribute("aria-current", String(number === at));
    button.setAttribute("aria-label", `${number + 1}${word ? ": " + WORDS[lang].labels[word] : ""}`);
  });
}

function go(place) {
  at = Math.min(Math.max(place, 0), data.pairs.length - 1);
  show();
}

function put(label) {
  const id = data.pairs[at].id, fresh = !said.has(id);
  said.set(id, label);
  keep();
  if (fresh && at < data.pairs.length - 1) go(at + 1);
  else count();
}

function takeBack() {
  said.delete(data.pairs[at].id);
  keep();
  count();
}

function nextOpen() {
  for (let step = 1; step <= data.pairs.length; step += 1) {
    const place = (at + step) % data.pairs.length;
    if (!said.has(data.pairs[place].id)) { go(place); return; }
  }
}

function download() {
  const lines = data.pairs.filter((pair) => said.has(pair.id))
    .map((pair) => JSON.stringify({ id: pair.id, label: said.get(pair.id) }) + "\n");
  const link = el("a", "", { download: `labels-${data.identity.slice(0, 8)}.jsonl` });
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const KEYS = {
  ArrowLeft: () => go(at - 1), k: () => go(at - 1), ArrowRight: () => go(at + 1), j: () => go(at + 1),
  u: nextOpen, v: () => { $("verdicts-block").open = !$("verdicts-block").open; },
  d: () => $("download").disabled || download(), 0: takeBack,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !data.pairs.length) return;
  const label = /^[1-9]$/.test(event.key) ? data.labels[Number(event.key) - 1] : undefined;
  const does = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!label && !does) return;
  event.preventDefault();
  if (label) put(label);
  else does();
});
$("previous").addEventListener("click", () => go(at - 1));
$("next").addEventListener("click", () => go(at + 1));
$("next-open").addEventListener("click", nextOpen);
$("download").addEventListener("click", download);
$("language").addEventListener("click", () => speak(lang === "en" ? "ja" : "en"));
$("dots").replaceChildren(...data.pairs.map((_, number) => {
  const place = el("li"), button = el("button", "", { type: "button" });
  button.addEventListener("click", () => go(number));
  place.append(button);
  return place;
}));
let wanted = (navigator.language || "en").startsWith("ja") ? "ja" : "en";
try { wanted = localStorage.getItem(LANGUAGE) || wanted; } catch { /* as the browser says */ }
speak(wanted);
