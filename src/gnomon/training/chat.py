"""A model that chats: the files by which whoever opens it knows how to speak to it and where its turn ends.

The chat template lies beside the tokenizer (``chat_template.jinja``), and ``generation_config.json`` names the token
that ends a turn besides the one that ends a text. Without them the same weights babble on.
"""

from pathlib import Path

from gnomon.core.files import read_json, write_atomic, write_json
from gnomon.core.messages import Message
from gnomon.llm.templated import template_of
from gnomon.training.encoding import open_tokenizer
from gnomon.training.packing.dialogues import DialogueEncoder

TEMPLATE, GENERATION = "chat_template.jinja", "generation_config.json"
_TURNS = (Message(role="user", text="a"), Message(role="assistant", text="b"))


def write_chat(folder: Path) -> None:
    """Give a model folder its chat template and its ends.

    Raises:
        ConfigError: The tokenizer has no template and knows the marks of none of ours.
    """
    tokenizer = open_tokenizer(folder)
    write_atomic(folder / TEMPLATE, template_of(tokenizer))
    ((ids, _),) = DialogueEncoder(tokenizer, "int64").streams(_TURNS)
    ends = dict.fromkeys([int(ids[-1]), *([] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id])])
    path = folder / GENERATION
    known = read_json(path) if path.is_file() else {}
    write_json(path, known | {"eos_token_id": list(ends)})
