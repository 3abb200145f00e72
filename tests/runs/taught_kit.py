"""A workspace of hand-made artifacts: from documents to judged pairs, lessons, models, a merge, a choice and exams."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gnomon.core.exams import Output as Said
from gnomon.core.exams import Result
from gnomon.core.files import write_json
from gnomon.core.messages import Message
from gnomon.core.pieces import Piece
from gnomon.core.records import Document, Drop, Item, Leak, Source
from gnomon.core.synthetic import QA, Evidence, Example, Preference, Verdict
from gnomon.core.tables import write_table
from gnomon.evaluation.exam.scoring import Answered
from gnomon.runs import Counts, FileSet, Output, Recipe, Serve, Step, Workspace, run

QUOTE = "The nova faded within a week."


def _document(name: str, text: str) -> Document:
    source = Source(kind="text", key=f"{name}.txt", sha256="0" * 64, licence="CC0-1.0")
    return Document(id=f"local:{name}", title=name.title(), text=text, lang="en", source=source)


NOVA = _document("nova", f"It was bright. {QUOTE}")
LEAKY = _document("leaky", "Which way did it go? It went down.")


def _pair(question: str, answer: str, choices: tuple[str, ...] = ()) -> QA:
    start = NOVA.text.index(QUOTE)
    evidence = Evidence(span=NOVA.span(start, start + len(QUOTE)), quote=QUOTE)
    kind = "choice" if choices else "open"
    return QA(kind=kind, lang="en", question=question, answer=answer, choices=choices, evidence=(evidence,),
              writer="toy-writer", call="call:7" if choices else "")  # fmt: skip


TAUGHT = _pair("How long did the nova take to fade?", "Less than a week")
ASKED = _pair("What did the nova do?", "It faded", ("It exploded", "It faded"))
POOR = _pair("What?", "That")
JUDGED = {
    pair.id: pair.judged(
        Verdict(judge="toy-judge", criterion="correctness", score=mark, reason="The passage says so.", call="call:8"),
        Verdict(judge="rule", criterion="quote", score=1.0), Verdict(judge="rule", criterion="names", score=0.5, reason="That"),
    )
    for pair, mark in ((TAUGHT, 5.0), (ASKED, 4.0), (POOR, 1.0))
}  # fmt: skip
LESSON = Example(
    id=f"{TAUGHT.id}#off", lang="en", kind="open", source="synthetic", qa_ids=(TAUGHT.id,), doc_ids=(NOVA.id,),
    messages=(Message(role="user", text=TAUGHT.question), Message(role="assistant", text=TAUGHT.answer)),
)  # fmt: skip
CHAT = Example(
    id="chat:hello", lang="en", kind="greeting", source="chat", licence="CC0-1.0",
    messages=(Message(role="user", text="Hello!"), Message(role="assistant", text="Good day.")),
)  # fmt: skip
BETTER = Preference(
    id=f"{TAUGHT.id}#swapped", messages=LESSON.messages[:1], chosen=TAUGHT.answer, rejected="A century", lang="en",
    kind="open", qa_ids=(TAUGHT.id,), doc_ids=(NOVA.id,),
)  # fmt: skip
QUESTION = Item(id="q-1", prompt="Which way did it go?", choices=("up", "down"), targets=(1,), evidence=QUOTE)


@dataclass(frozen=True, kw_only=True)
class Plain:
    """Nothing to set."""


@dataclass(frozen=True, kw_only=True)
class Merging:
    weights: tuple[tuple[str, float], ...]
    method: str = "linear"
    base: str = ""


@dataclass(frozen=True, kw_only=True)
class Choosing:
    candidates: tuple[str, ...]
    metric: str = "accuracy"
    paper: str = "development"


@dataclass(frozen=True, kw_only=True)
class Preferring:
    batch: int = 1
    epochs: int = 2
    seed: int = 0


def ingest(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "documents" / "0.parquet", Document, [NOVA, LEAKY])
    return Counts(taken=2, kept=2)


def decontaminate(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "documents" / "0.parquet", Document, [NOVA])
    write_table(
        out.path / "drops.parquet", Drop, [Drop(doc_id=LEAKY.id, reason="contaminated", detail="q-1 overlap 0.9")]
    )
    leak = Leak(item_id="q-1", span=LEAKY.span(0, 20), method="overlap", score=0.9, passage=LEAKY.text[:20])
    write_table(out.path / "leaks.parquet", Leak, [leak])
    return Counts(taken=2, kept=1, dropped={"contaminated": 1})


def items(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "items.parquet", Item, [QUESTION])
    return Counts(taken=1, kept=1)


def _drop(pair: QA, reason: str, detail: str = "") -> Drop:
    return Drop(doc_id=NOVA.id, reason=reason, detail=f"{pair.id} {detail}".strip(), excerpt=pair.question)


def write(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "pairs.parquet", QA, [TAUGHT, ASKED, POOR])
    write_table(out.path / "drops.parquet", Drop, [Drop(doc_id=NOVA.id, reason="not_self_contained", detail="it")])
    return Counts(taken=4, kept=3, dropped={"not_self_contained": 1})


def judge(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "pairs.parquet", QA, JUDGED.values())
    return Counts(taken=3, kept=3)


def select(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "pairs.parquet", QA, [JUDGED[TAUGHT.id], JUDGED[ASKED.id]])
    write_table(out.path / "drops.parquet", Drop, [_drop(POOR, "low_correctness", "1.00 < 4.00")])
    return Counts(taken=3, kept=2, dropped={"low_correctness": 1})


def examples(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "examples" / "0.parquet", Example, [LESSON])
    write_table(out.path / "drops.parquet", Drop, [_drop(ASKED, "other_kind")])
    return Counts(taken=2, kept=1, dropped={"other_kind": 1})


def preferences(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(
        out.path / "preferences.parquet",
        Preference,
        [BETTER, replace(BETTER, id="qa:other#swapped", qa_ids=("qa:other",))],
    )
    return Counts(taken=2, kept=2)


def own_items(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    right = ASKED.choices.index(ASKED.answer)
    item = Item(id=ASKED.id, prompt=ASKED.question, choices=ASKED.choices, targets=(right,), origin=NOVA.id)
    write_table(out.path / "items.parquet", Item, [item])
    return Counts(taken=1, kept=1)


def general(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    write_table(out.path / "examples" / "0.parquet", Example, [CHAT])
    return Counts(taken=1, kept=1)


def pack(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Four rows: the lesson twice, the chat once, in the last row."""
    where = ((0, LESSON.id, 0, "questions"), (2, LESSON.id, 1, "questions"), (3, CHAT.id, 0, "chat"))
    pieces = [
        Piece(sequence=row, offset=0, length=8, doc_id=name, text_hash="b2:0", source=source, start=0, repeat=again, context=0)
        for row, name, again, source in where
    ]  # fmt: skip
    write_table(out.path / "pieces" / "0.parquet", Piece, pieces)
    known = {"documents": 1, "tokens": 8, "repeats": 1.0, "licences": {"": 1}}
    out.metrics |= {"context": 8, "sequences": 4, "sources": {"questions": known, "chat": known}}
    write_json(out.path / "pack.json", {"sequences": 4})
    return Counts(taken=2, kept=2)


def _model(out: Output, name: str) -> None:
    write_json(out.path / "model.json", {"name": name, "revision": f"sha256:{name}", "kind": "instruct"})


def adopt(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    _model(out, "toy/base")
    return Counts(taken=1, kept=1)


def sft(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Three steps of one row: the chat in the fourth row was not seen."""
    _model(out, "toy/tuned")
    out.metrics |= {"sequences_per_step": 1, "steps": 3}
    write_json(out.path / "training.json", {"sequences_per_step": 1, "steps": 3})
    return Counts(taken=4, kept=4)


def dpo(config: Preferring, inputs: Mapping[str, Path], out: Output) -> Counts:
    _model(out, "toy/preferring")
    write_table(out.path / "drops.parquet", Drop, [Drop(doc_id="qa:other#swapped", reason="too_long")])
    out.metrics |= {"sequences_per_step": 1, "steps": 2, "pairs": 1, "tokens": 5, "context": 8}
    return Counts(taken=2, kept=1, dropped={"too_long": 1})


def merge(config: Merging, inputs: Mapping[str, Path], out: Output) -> Counts:
    _model(out, f"toy/merged-{config.weights[0][1]}")
    return Counts(taken=2, kept=2)


def choose(config: Choosing, inputs: Mapping[str, Path], out: Output) -> Counts:
    best = config.candidates[0]
    (out.path / "model.json").write_bytes((inputs[f"model:{best}"] / "model.json").read_bytes())
    out.metrics |= {"chosen": best, "scores": {name: 1 / n for n, name in enumerate(config.candidates, 1)}}
    return Counts(taken=2, kept=1, dropped={"not_best": 1})


def _answer(item: Item, arm: str, order: tuple[int, ...], chosen: int | None) -> Answered:
    said = Said(chosen=() if chosen is None else (chosen,), log_probs=() if chosen is None else (-2.0, -1.0),
                reason="truncated" if chosen is None else "")  # fmt: skip
    score = None if chosen is None else float(chosen in item.targets)
    result = Result(item_id=item.id, arm=arm, order=order, output=said, score=score, reason=said.reason)
    return Answered(exam="exam", subject="", lang="en", options=2, targets=item.targets, result=result)


def exam(config: Plain, inputs: Mapping[str, Path], out: Output) -> Counts:
    """One arm that is right once in two orders, one that says nothing."""
    rows = [_answer(QUESTION, "tuned", (0, 1), 1), _answer(QUESTION, "tuned", (1, 0), 0), _answer(QUESTION, "mute", (0, 1), None),
            replace(_answer(replace(QUESTION, id=ASKED.id), "tuned", (0, 1), 1), exam="development")]  # fmt: skip
    write_table(out.path / "results.parquet", Answered, rows)
    arm = {"kind": "model", "mode": "letter", "open_book": False, "model": "tuned"}
    write_json(out.path / "exam.json", {"order": {"arms": ["mute", "tuned"]}, "arms": {"tuned": arm}, "how": {}})
    return Counts(taken=2, kept=2)


def _step(name: str, maker: Callable[..., Counts], config: object = None, **more: object) -> Step:
    entry = f"{__name__}:{maker.__name__}"
    return Step(name=name, entry=entry, version=1, config=config or Plain(), **more)  # type: ignore[arg-type]


def workspace(folder: Path) -> Workspace:
    """The whole chain, run; its expert is ``toys``."""
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "chat.jsonl").write_text("{}\n", encoding="utf-8")
    read = _step("corpus/ingest", ingest)
    asked = _step("evaluation/items", items)
    clean = _step("corpus/decontaminate", decontaminate, inputs={"documents": read, "items": asked})
    written = _step("synthesis/write", write, inputs={"documents": clean})
    judged = _step("synthesis/judge", judge, inputs={"documents": clean, "pairs": written})
    kept = _step("synthesis/select", select, inputs={"pairs": judged})
    lessons = _step("synthesis/examples", examples, inputs={"pairs": kept})
    better = _step("synthesis/preferences", preferences, inputs={"pairs": kept})
    own = _step("synthesis/items", own_items, inputs={"pairs": kept})
    chat = _step("synthesis/general", general, sources={"files": FileSet.scan([folder / "files"])})
    base = _step("training/adopt", adopt)
    tokens = _step("training/pack", pack, inputs={"questions": lessons, "chat": chat, "tokenizer": base})
    tuned = _step("training/sft", sft, inputs={"tokens": tokens, "model": base})
    preferring = _step("training/dpo", dpo, Preferring(), inputs={"preferences": better, "model": tuned})
    merges = {
        name: _step("training/merge", merge, Merging(weights=(("tuned", share), ("base", 1 - share))),
                    inputs={"model:tuned": preferring, "model:base": base})
        for name, share in (("much", 0.75), ("half", 0.5))
    }  # fmt: skip
    sat = _step("evaluation/exam", exam, inputs={"items:exam": asked, "items:development": own, "model:tuned": tuned})
    final = _step("training/choose", choose, Choosing(candidates=tuple(merges)),
                  inputs={"exam": sat, **{f"model:{name}": step for name, step in merges.items()}})  # fmt: skip
    parts = {"base": base, "tuned": tuned, "preferring": preferring, **merges, "final": final, "exam": sat}
    made = Workspace(folder / "ws")
    run(Recipe(name="toys", goals=(final,), serve=Serve(name="toys", parts=parts, needed=("final",))), made)
    return made
