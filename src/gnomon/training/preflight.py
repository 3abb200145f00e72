"""Preflight: what can be known to fail is refused before any long work, with its cure.

Pure checks on facts that were read beforehand (``wholeness``, ``pack.json``, ``licences``,
``capacity``); the training steps call them in order. Each raises one error in the reader's language
that gives both values, the place and what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json
from gnomon.core.wording import say
from gnomon.runs.record import Record
from gnomon.training.licences import USES, examine
from gnomon.training.wholeness import ModelFacts, TokenizerFacts, model_facts, tokenizer_facts

PACK, TOKENS = "pack.json", "tokens.bin"
GIB = 1 << 30


def check_run(model: Path, tokens: Path, *, batch: int, extended: int = 0, fresh: bool = False) -> ModelFacts:
    """All checks on what a training step starts from.

    Args:
        model: A Hugging Face folder with weights and tokenizer.
        tokens: A token artifact.
        batch: Rows of one optimizer step.
        extended: The context after this step's own extension; 0 when it extends none.
        fresh: Whether the model was just made for a tokenizer of ours.

    Raises:
        DataError: The model, its tokenizer or the tokens cannot be used, alone or together.
        ConfigError: The rows are longer than the model supports.
    """
    facts, tokenizer, pack = model_facts(model), tokenizer_facts(model), read_json(tokens / PACK)
    if fresh:
        check_as_stored(tokenizer, facts)
    check_tokenizer(tokenizer, facts)
    check_corpus(pack, tokens / TOKENS, batch)
    check_tokens(pack, tokenizer, facts)
    check_context(int(pack["context"]), replace(facts, context=extended) if extended else facts)
    return facts


def check_tokenizer(tokenizer: TokenizerFacts, model: ModelFacts) -> None:
    """The tokenizer's ids must fit the embedding.

    Raises:
        DataError: They do not.
    """
    if tokenizer.size > model.vocabulary:
        raise DataError(
            say(f"The tokenizer has {tokenizer.size:,} ids, the model's embedding {model.vocabulary:,} rows.",
                f"トークナイザの ID は {tokenizer.size:,}、モデルの埋め込みは {model.vocabulary:,} 行。"),
            say("Use the model's own tokenizer; for a fresh model set vocab_size to the tokenizer's.",
                "モデル自身のトークナイザを使う。新規のモデルでは vocab_size をトークナイザに合わせる。"),
        )  # fmt: skip


def check_as_stored(tokenizer: TokenizerFacts, model: ModelFacts) -> None:
    """For a fresh model: ``AutoTokenizer`` must take ``tokenizer.json`` as it is, which depends on the architecture.

    transformers 5 replaces the rules of some (``qwen2``, ``phi3``…) by those of its own class. A base that
    was trained that way is not refused; adopting it notes the difference.

    Raises:
        DataError: It does not.
    """
    if tokenizer.differs:
        raise DataError(
            say(f"For a {model.model_type!r} transformers replaces the rules in tokenizer.json by its own:"
                f" {tokenizer.differs}.",
                f"{model.model_type!r} では transformers が tokenizer.json の規則を置き換える: {tokenizer.differs}。"),
            say("Use an architecture that takes the file as it is: llama, qwen3, mixtral.",
                "ファイルをそのまま使う構造(llama、qwen3、mixtral)を使う。"),
        )  # fmt: skip


def check_tokens(pack: Mapping[str, Any], tokenizer: TokenizerFacts, model: ModelFacts) -> None:
    """Packed tokens must be of the model's own tokenizer.

    Args:
        pack: What ``pack.json`` holds.
        tokenizer: The model's tokenizer.
        model: The model.

    Raises:
        DataError: They are of another, or hold ids that the model has no row for.
    """
    if pack["tokenizer"] != tokenizer.revision:
        raise DataError(
            say(f"The tokens were made with the tokenizer {pack['tokenizer']}, the model has {tokenizer.revision}.",
                f"トークンのトークナイザは {pack['tokenizer']}、モデルのものは {tokenizer.revision}。"),
            say("Pack the documents again with the model as the tokenizer of training/pack.",
                "training/pack の tokenizer にそのモデルを指定して詰め直す。"),
        )  # fmt: skip
    if pack["vocab_size"] > model.vocabulary:
        raise DataError(
            say(f"The tokens have ids below {pack['vocab_size']:,}, the model's embedding {model.vocabulary:,} rows.",
                f"トークンの ID は {pack['vocab_size']:,} 未満、モデルの埋め込みは {model.vocabulary:,} 行。"),
            say("Pack again with the model's own tokenizer.", "モデル自身のトークナイザで詰め直す。"),
        )  # fmt: skip


def check_context(wanted: int, model: ModelFacts) -> None:
    """Rows must not be longer than the model was made for.

    Args:
        wanted: Tokens in a row.
        model: The model, after any extension of its context.

    Raises:
        ConfigError: They are.
    """
    if model.context is not None and wanted > model.context:
        raise ConfigError(
            say(f"Rows of {wanted:,} tokens are longer than the {model.context:,} that the base supports.",
                f"1 行 {wanted:,} トークンは、元のモデルの文脈長 {model.context:,} を超える。"),
            say(f"Pack with context = {model.context}, or extend it first: training/midtrain with its rope settings"
                f" (extend = ExtendConfig(context={wanted}, …)).",
                f"context = {model.context} で詰めるか、先に training/midtrain の RoPE 設定"
                f"(extend = ExtendConfig(context={wanted}, …))で文脈を延ばす。"),
        )  # fmt: skip


def check_corpus(pack: Mapping[str, Any], tokens: Path, batch: int = 1) -> None:
    """There must be tokens, at least a sequence of them and a batch, and the file must be whole.

    Args:
        pack: What ``pack.json`` holds.
        tokens: The file ``tokens.bin`` that it describes.
        batch: Rows of one optimizer step.

    Raises:
        DataError: There are too few, or the file is cut short.
    """
    rows, context, width = int(pack["sequences"]), int(pack["context"]), 2 if pack["dtype"] == "uint16" else 4
    if rows < 1 or int(pack["tokens"]) < 1:
        raise DataError(
            say("The corpus is empty: it gives no token.", "コーパスが空で、トークンが一つもない。"),
            say("Look at what the steps before dropped (drops.parquet), or give other documents.",
                "前の段階で除外された文書(drops.parquet)を確かめるか、別の文書を与える。"),
        )  # fmt: skip
    if rows < batch:
        raise DataError(
            say(f"The corpus has {rows:,} rows of {context:,} tokens, fewer than the {batch:,} of one step.",
                f"コーパスは {context:,} トークンの行が {rows:,} しかなく、1 ステップの {batch:,} に満たない。"),
            say(f"Set batch to at most {rows}, pack with a smaller context, or give more documents.",
                f"batch を {rows} 以下にするか、context を下げるか、文書を増やす。"),
        )  # fmt: skip
    found, wanted = tokens.stat().st_size if tokens.is_file() else 0, rows * context * width
    if found != wanted:
        raise DataError(
            say(f"{tokens} has {found:,} bytes, pack.json describes {wanted:,}.",
                f"{tokens} は {found:,} バイト、pack.json の記述は {wanted:,} バイト。"),
            say("Delete that artifact and run the recipe again; it is packed anew.",
                "その成果物を削除してレシピを再実行すると、詰め直される。"),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """Another way to train the same model, and what it needs."""

    en: str
    """What to set, in English (``"micro_batch = 1"``)."""
    ja: str
    """The same in Japanese."""
    bytes: int
    """Memory it needs, as ``capacity`` predicts it."""


def check_memory(needed: int, available: int, ways: Sequence[Way] = (), *, where: str = "") -> None:
    """What training needs must fit into what is free.

    Args:
        needed: Bytes one device needs, as ``capacity`` predicts them.
        available: Bytes free on it (``gnomon.training.room.free_memory``).
        ways: What else could be done (smaller micro-batch, gradient checkpointing, LoRA), each with its need.
        where: The device, for the message.

    Raises:
        ConfigError: It does not fit; the cure names the ways that would.
    """
    if needed <= available:
        return
    fitting = [way for way in ways if way.bytes <= available]
    en = "; ".join(f"{way.en} ({way.bytes / GIB:.1f} GiB)" for way in fitting)
    ja = "、".join(f"{way.ja}({way.bytes / GIB:.1f} GiB)" for way in fitting)
    smaller_en = "a smaller base, more devices (launcher = torchrun), or a machine with more memory"
    smaller_ja = "より小さいモデル、複数の装置(launcher = torchrun)、またはメモリの多い機械"
    wanted, free = f"{needed / GIB:.1f} GiB", f"{available / GIB:.1f} GiB"
    raise ConfigError(
        say(f"Training needs about {wanted}, {where or 'this machine'} has {free} to give.",
            f"学習には約 {wanted} 必要だが、{where or 'この機械'} で使えるのは {free}。"),
        say(f"What would fit: {en}." if fitting else f"None of the usual savings fits; take {smaller_en}.",
            f"収まる方法: {ja}。" if fitting else f"通常の節約では収まらない。{smaller_ja}を使う。"),
    )  # fmt: skip


def check_licences(
    parents: Mapping[str, str], data: Mapping[str, str], *, name: str = "", licence: str = "", use: str = "research"
) -> tuple[str, ...]:
    """Refuse what licences forbid; returns the duties that remain, for the model's card.

    Args:
        parents: Licences of the models it is made from, by name.
        data: Licences of texts, by source.
        name: The new model's name.
        licence: The licence it is to carry; empty when not decided.
        use: ``"research"`` or ``"commercial"``.

    Raises:
        ConfigError: Licences conflict with each other or with the declared use.
    """
    if use not in USES:
        raise ConfigError(
            say(f"use = {use!r} is not known.", f"use = {use!r} は知らない。"),
            say(f"Use one of: {', '.join(USES)}.", f"次のいずれかを使う: {'、'.join(USES)}。"),
        )
    found = examine(parents, data, name=name, licence=licence, use=use)
    if found.problems:
        raise ConfigError(
            say(f"Licences conflict: {'; '.join(found.problems)}.", f"ライセンスの衝突: {'; '.join(found.problems)}。"),
            say("Take another base or other texts, or declare a use and licence that they allow; if a licence is"
                " stated wrongly, set it where the model is adopted (licence = …).",
                "別のモデルや文書を使うか、許される用途とライセンスを宣言する。記載が誤りなら、モデルを採用する箇所で"
                " licence = … を設定する。"),
        )  # fmt: skip
    return found.duties


def with_inherited(duties: Sequence[str], records: Mapping[str, Record]) -> list[str]:
    """A model's duties and those of the models it is made from, each once: a duty does not end with the next step.

    Args:
        duties: Its own.
        records: Records of the step's inputs, by name.
    """
    models = [record for name, record in records.items() if name == "model" or name.startswith("model:")]
    inherited = [str(duty) for record in models for duty in record.metrics.get("duties", ())]
    return list(dict.fromkeys([*duties, *inherited]))
