"""Run by an interpreter that has llama-cpp-python: what llama.cpp makes of a GGUF file, as JSON on stdout.

    python llama_cpp_says.py FILE.gguf REQUEST.json

The request holds ``text``, ``ids`` and ``messages``; nothing of Gnomon is imported here.
"""

import json
import sys
from pathlib import Path


def main(file: str, request: str) -> None:
    import llama_cpp

    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    model = llama_cpp.Llama(model_path=file, n_ctx=512, logits_all=True, n_threads=1, seed=0, verbose=False)
    model.eval(asked["ids"])
    logits = [[float(value) for value in model.scores[i]] for i in range(len(asked["ids"]))]
    model.reset()
    greedy = []
    for token in model.generate(asked["ids"], temp=0.0, repeat_penalty=1.0):
        greedy.append(int(token))
        if len(greedy) == 16:
            break
    model.reset()
    chat = {}
    if asked["messages"]:
        answer = model.create_chat_completion(asked["messages"], temperature=0.0, repeat_penalty=1.0, max_tokens=12)
        chat = {"text": answer["choices"][0]["message"]["content"], "finish": answer["choices"][0]["finish_reason"]}
    said = {
        "version": llama_cpp.__version__, "logits": logits, "greedy": greedy, "chat": chat,
        "tokens": model.tokenize(asked["text"].encode(), add_bos=True, special=False),
    }  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
