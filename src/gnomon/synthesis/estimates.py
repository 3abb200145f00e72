"""Estimates of steps that ask models, in the form that ``plan`` asks for.

Where the documents are made, calls are planned for a sample of them exactly as the writer would, and the sample's mean
is carried over to the rest with its 95 % interval. Before, only bounds are known, or the tokens of one call.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gnomon.core.estimates import Estimate, Range, exactly, of_calls
from gnomon.core.records import Document
from gnomon.core.synthetic import QA
from gnomon.core.tables import count_rows, parquet_files, read_table
from gnomon.core.wording import say
from gnomon.llm.expected import NOTHING, Load, expected, tokens_of, tokens_of_characters
from gnomon.runs.known import Known
from gnomon.runs.step import Step
from gnomon.synthesis.asked import Asked
from gnomon.synthesis.extractive.sentences import fact_sentences, language_of
from gnomon.synthesis.forms import SCHEMAS
from gnomon.synthesis.judge import JudgeConfig, manner_of
from gnomon.synthesis.judging.models import examples, shown
from gnomon.synthesis.model_writers import READ_PASSAGES, SUMMARY_CHARACTERS, conversation, plan, prompt
from gnomon.synthesis.passing import PAIRS
from gnomon.synthesis.write import WriteConfig, how_of

SAMPLE = 96
"""Documents, or pairs, that are looked at."""
FILES = 12
"""Files that the sample is taken from."""
INTERVAL = 1.96
DOCUMENTS = "documents"


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    """Documents that a step will read."""

    sample: list[Document]
    """Some of them."""
    amount: Range
    """How many there are."""
    why: str = ""
    """What the amount rests on; empty when it is exact."""


def write(config: WriteConfig, known: Known) -> Estimate | None:
    """What the calls of ``synthesis/write`` come to; None for the extractive writer, which makes none."""
    if config.writer is None:
        return None
    shelf = _shelf(known.step.inputs[DOCUMENTS], known)
    load, why = (_by_sample if shelf.sample else _by_settings)(config, shelf)
    return of_calls([expected(config.writer.name, load, known.settings, known.cache, why)])


def judge(config: JudgeConfig, known: Known) -> Estimate | None:
    """What the calls of ``synthesis/judge`` come to; None when the rule judges alone."""
    amount, sample, why = _pairs(known)
    one = _judgement(config, sample)
    load = Load(calls=amount, tokens_in=amount * one, tokens_out=amount * Range(least=1, most=config.max_tokens))
    return of_calls([expected(ref.name, load, known.settings, known.cache, why) for ref in config.judges])


# Documents ------------------------------------------------------------------------------------


def _shelf(step: Step, known: Known) -> _Shelf:
    """The documents a step leaves or, before it is made, those of the nearest step before it: there are no more."""
    at, folder = step, known.folder(step)
    while folder is None and DOCUMENTS in at.inputs and at.name.startswith("corpus/"):
        at = at.inputs[DOCUMENTS]
        folder = known.folder(at)
    if folder is None or not (folder / DOCUMENTS).is_dir():
        return _Shelf(sample=[], amount=Range(), why=say(f"the documents are known after {step.name}",
                                                         f"文書の数は {step.name} の後でわかる"))  # fmt: skip
    total = count_rows(folder / DOCUMENTS)
    if at is step:
        return _Shelf(sample=_sample(folder / DOCUMENTS), amount=exactly(total))
    return _Shelf(sample=_sample(folder / DOCUMENTS), amount=Range(least=0, most=total),
                  why=say(f"of the {total} documents of {at.name}, what {step.name} will leave is not known",
                          f"{at.name} の {total} 件のうち {step.name} が残す数はまだわからない"))  # fmt: skip


def _sample(folder: Path) -> list[Document]:
    """Documents from files spread evenly over the folder: all of them where there are few."""
    files = parquet_files(folder)
    chosen = files[:: max(1, math.ceil(len(files) / FILES))]
    each = math.ceil(SAMPLE / max(1, len(chosen)))
    return [document for file in chosen for document in islice(read_table(file, Document), each)]


# Writing --------------------------------------------------------------------------------------


def _by_sample(config: WriteConfig, shelf: _Shelf) -> tuple[Load, str]:
    """The load of all documents, carried over from the sample's."""
    loads = [_of_document(config, document) for document in shelf.sample]
    total = sum(loads, NOTHING)
    if shelf.amount == exactly(len(loads)):
        return total, shelf.why
    made = total.calls.least
    calls = _carried_over([load.calls.least for load in loads], shelf.amount)
    one = Range(least=total.tokens_in.least / made, most=(total.tokens_in.most or 0) / made) if made else exactly(0)
    why = say(f"carried over from {len(loads)} documents", f"文書 {len(loads)} 件からの推計")
    whole = Load(calls=calls, tokens_in=calls * one, tokens_out=calls * Range(least=1, most=config.max_tokens))
    return whole, say("; ", "；").join(reason for reason in (why, shelf.why) if reason)


def _carried_over(sample: Sequence[float], amount: Range) -> Range:
    """A sum over so many documents from the mean of some, with its 95 % interval."""
    mean = statistics.fmean(sample)
    error = INTERVAL * statistics.stdev(sample) / math.sqrt(len(sample)) if len(sample) > 1 else mean
    return amount * Range(least=max(0.0, mean - error), most=mean + error)


def _of_document(config: WriteConfig, document: Document) -> Load:
    """The calls about one document, planned as the writer plans them."""
    lang = language_of(document)
    facts = fact_sentences(document, lang) if lang in config.langs else 0
    if not facts:
        return NOTHING
    amount = min(max(round(facts * config.per_fact), config.least), config.most)
    asked, how = Asked(document=document, lang=lang, amount=amount), how_of(config)
    load = NOTHING
    for job in plan(0, asked, how):
        told = tokens_of("\n".join(turn.text for turn in conversation(job, asked, how)))
        load += Load(calls=exactly(1), tokens_in=told, tokens_out=Range(least=1, most=config.max_tokens))
    return load


def _by_settings(config: WriteConfig, shelf: _Shelf) -> tuple[Load, str]:
    """What the settings alone tell: at most so many calls a document, and what one reads."""
    kinds = [kind for kind in how_of(config).kinds if kind in SCHEMAS]
    rules = [tokens_of(prompt(kind, config.prompt, lang)) for kind in kinds for lang in config.langs]
    shown = tokens_of_characters(SUMMARY_CHARACTERS + READ_PASSAGES * config.passage)
    one = shown + Range(
        least=min((r.least for r in rules), default=0), most=max((r.most or 0 for r in rules), default=0)
    )
    calls = shelf.amount * Range(least=0, most=config.most if kinds else 0)
    read, most = f"{one.least:.0f}–{one.most or 0:.0f}", config.most
    why = say(f"{shelf.why}: at most {most} calls a document, each of {read} tokens and a reply of at most"
              f" {config.max_tokens}",
              f"{shelf.why}。文書ごとに最大 {most} 回、一回は入力 {read} トークン、出力は最大"
              f" {config.max_tokens} トークン")  # fmt: skip
    tokens_out = calls * Range(least=1, most=config.max_tokens)
    return Load(calls=calls, tokens_in=calls * one, tokens_out=tokens_out), why


# Judging --------------------------------------------------------------------------------------


def _pairs(known: Known) -> tuple[Range, list[QA], str]:
    """How many pairs there will be to judge, the first of those that are made, and what the number rests on."""
    step = known.step.inputs["pairs"]
    folder = known.folder(step)
    if folder is not None:
        return exactly(count_rows(folder / PAIRS)), list(islice(read_table(folder / PAIRS, QA), SAMPLE)), ""
    if not isinstance(step.config, WriteConfig):
        return Range(), [], say(f"the pairs are known after {step.name}", f"問答の数は {step.name} の後でわかる")
    shelf = _shelf(step.inputs[DOCUMENTS], known)
    each = step.config.most + math.ceil(step.config.metadata)
    most = None if shelf.amount.most is None else shelf.amount.most * each
    why = say(f"the pairs are known after {step.name}; it is asked for at most {each} a document",
              f"問答の数は {step.name} の後でわかる。文書ごとに最大 {each} 件を求める")  # fmt: skip
    return Range(least=0, most=most), [], say("; ", "；").join(reason for reason in (why, shelf.why) if reason)


def _judgement(config: JudgeConfig, sample: Sequence[QA]) -> Range:
    """Tokens that a judge reads about one pair: rules, marked examples, pair and passage."""
    told = {lang: tokens_of("\n".join(turn.text for turn in examples(config.prompt, lang))) for lang in ("en", "ja")}
    if not sample:
        least = min(rules.least for rules in told.values())
        return tokens_of_characters(2 * config.passage) + Range(
            least=least, most=max(r.most or 0 for r in told.values())
        )
    bounds = [told["ja" if pair.lang == "ja" else "en"] + _read(pair, config) for pair in sample]
    return Range(least=statistics.fmean(b.least for b in bounds), most=statistics.fmean(b.most or 0 for b in bounds))


def _read(pair: QA, config: JudgeConfig) -> Range:
    """Tokens of a pair with its passage, which is no shorter than its quotes and hardly longer than the setting."""
    quotes = "".join(held.quote for held in pair.evidence)
    own = tokens_of(shown(pair, quotes))
    room = max(0, manner_of(config).passage - len(quotes))
    more = tokens_of_characters(room) if pair.lang == "ja" else tokens_of("x" * room)
    return Range(least=own.least, most=(own.most or 0) + (more.most or 0))
