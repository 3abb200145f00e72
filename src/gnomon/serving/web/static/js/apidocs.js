// The API's page: every line for a shell can be copied with a button.

const WORDS = { en: ["Copy", "Copied"], ja: ["コピー", "コピーした"] };
const words = WORDS[document.documentElement.lang] ?? WORDS.en;

for (const line of navigator.clipboard ? document.querySelectorAll("pre.line") : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = words[0];
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(line.querySelector("code").textContent);
    button.textContent = words[1];
    setTimeout(() => (button.textContent = words[0]), 1500);
  });
  const frame = document.createElement("div");
  frame.className = "copies";
  line.replaceWith(frame);
  frame.append(line, button);
}
