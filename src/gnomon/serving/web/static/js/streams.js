// Streams: server-sent events of a request, one by one, as [name, data]; a refusal is one event named "problem".

// A body is sent by POST; without one the address says everything.
export async function* events(address, body, signal) {
  const accept = "text/event-stream";
  const sent = { method: "POST", headers: { "content-type": "application/json", accept }, body: JSON.stringify(body) };
  const response = await fetch(address, { ...(body ? sent : { headers: { accept } }), signal });
  if (!response.ok) {
    yield ["problem", await response.text()];
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (held + part.value).split("\n\n");
    held = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const named = (name) => lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length));
      const [name = "", data] = [named("event: ")[0], named("data: ").join("\n")];
      if (name || data) yield [name, data];
    }
  }
}

// What a refusal says, in either of its shapes.
export function told(text) {
  try {
    const problem = JSON.parse(text);
    return problem.error?.message ?? `${problem.detail} ${problem.cure ?? ""}`;
  } catch {
    return text.slice(0, 300);
  }
}
