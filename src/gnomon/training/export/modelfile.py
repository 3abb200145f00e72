"""Ollama's Modelfile: which GGUF file, how turns are written, where they end.

Ollama writes turns by a Go template of its own and does not read Jinja, so each of our formats has one here. A model
with another template gets a Modelfile without one: Ollama then takes the template it knows for the file.
"""

from pathlib import Path

from gnomon.core.files import read_json
from gnomon.llm.templated import own_template, template_in

_TURNS = {
    "chatml": ("<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n", "<|im_start|>assistant\n", ("<|im_end|>",)),
    "llama3": (
        "<|start_header_id|>{{ .Role }}<|end_header_id|>\n\n{{ .Content }}<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n", ("<|eot_id|>",),
    ),
    "harmony": ("<|start|>{{ .Role }}<|message|>{{ .Content }}<|end|>", "<|start|>assistant", ("<|return|>",)),
}  # fmt: skip


def modelfile(folder: Path, weights: str) -> str:
    """The Modelfile of an exported model.

    Args:
        folder: The export, with its chat template if it has one.
        weights: Name of the GGUF file.
    """
    context = read_json(folder / "config.json").get("max_position_embeddings")
    lines = [f"FROM ./{weights}", *([f"PARAMETER num_ctx {context}"] if context else [])]
    text = template_in(folder)
    name = next((name for name in _TURNS if text == own_template(name)), "")
    if name:
        turn, opening, ends = _TURNS[name]
        lines.append(f'TEMPLATE """{{{{- range .Messages }}}}{turn}{{{{ end }}}}{opening}"""')
        lines += [f'PARAMETER stop "{end}"' for end in ends]
    return "\n".join(lines) + "\n"
