"""The sections about models, in the order of the page, and what its head says of them."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from gnomon.evaluation.report.markup import Markup, both, el, join
from gnomon.evaluation.report.models.axes import interval, short, signed
from gnomon.evaluation.report.models.conversation import conversation
from gnomon.evaluation.report.models.cost import cost
from gnomon.evaluation.report.models.course import training
from gnomon.evaluation.report.models.exam import exam
from gnomon.evaluation.report.models.exam_arms import points as percent
from gnomon.evaluation.report.models.gain import change, perplexity
from gnomon.evaluation.report.models.gathering import MEASURES
from gnomon.evaluation.report.models.likeness import embedding
from gnomon.evaluation.report.models.limits import kept_from, limits
from gnomon.evaluation.report.models.names import Names
from gnomon.evaluation.report.models.open_questions import open_questions
from gnomon.evaluation.report.models.origin import pedigree, shown
from gnomon.evaluation.report.models.writing import completion

Section = tuple[str, Markup, Markup]
TITLES = {
    "pedigree": ("Where the model comes from", "モデルの来歴"),
    "shown": ("What the model was shown", "モデルに見せたもの"),
    "training": ("How it was trained", "学習の経過"),
    "perplexity": ("Gained, and forgotten", "得たもの、失ったもの"),
    "embedding": ("How documents look from inside", "内側から見た文書"),
    "completion": ("What they write", "書かせてみる"),
    "exam": ("Exam", "試験"),
    "open": ("Open questions", "自由記述"),
    "conversation": ("Conversations", "会話"),
    "cost": ("What a right answer costs", "正答の費用"),
    "limits": ("What the numbers do not say", "数値が語らないこと"),
}


def model_sections(model: Mapping[str, Any]) -> list[Section]:
    """Id, title and content of every section about models."""
    names = Names(model["roles"])
    parts = {
        "pedigree": pedigree(model, names),
        "shown": join([shown(model, names), kept_from(model)]),
        "training": training(model, names),
        "perplexity": _each(model["perplexity"], perplexity, names),
        "embedding": _each(model["embedding"], embedding, names),
        "completion": _each(model["completion"], completion, names),
        "exam": _each(model["exam"], exam, names),
        "open": _each(model["open"], open_questions, names),
        "conversation": _each(model["conversation"], conversation, names),
        "cost": _each(model["cost"], cost, names),
        "limits": _limits(model, names),
    }
    return [(name, both(*TITLES[name]), content) for name, content in parts.items()]


def _each(
    rows: Sequence[Mapping[str, Any]], draw: Callable[[Mapping[str, Any], Names], Markup], names: Names
) -> Markup:
    """One measure, or several under the names of their steps."""
    if len(rows) < 2:
        return join(draw(row, names) for row in rows)
    return join(join([el("h3", el("code", row["step"])), draw(row, names)]) for row in rows)


def _limits(model: Mapping[str, Any], names: Names) -> Markup:
    measured = any(model[kind] for kind in MEASURES)
    return limits(model, names) if measured else Markup("")


def style() -> Markup:
    """The rules of these sections, which a page without models does not carry."""
    rules = (files("gnomon.evaluation.report.models") / name for name in ("drawings.css", "models.css"))
    return Markup("".join(rule.read_text(encoding="utf-8") for rule in rules))


# The head of the page ------------------------------------------------------------------------


def model_lead(model: Mapping[str, Any]) -> Markup:
    """One sentence about the model that was made."""
    made = _last(model)
    if made is None:
        return Markup("")
    size = short(made["parameters"]) if made["parameters"] else ""
    tokens = short(made["trained"]["tokens"]) if made["trained"].get("tokens") else ""
    name = made["ref"]["name"]
    en = (
        f"{name}: a model" + (f" of {size} parameters" if size else "") + (f", shown {tokens} tokens" if tokens else "")
    )
    ja = (
        f"{name}: "
        + (f"パラメータ数 {size}、" if size else "")
        + (f"{tokens} トークンを学習したモデル" if tokens else "モデル")
    )
    return both(f"{en}.", f"{ja}。")


def _last(model: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The model that the build is about: the last one that was made and is no control."""
    kinds = {row["name"]: row["kind"] for row in model["roles"]}
    made = [row for row in model["pedigree"] if row["stage"] not in {"", "adopt", "tune_embedder", "distil_embedder"}]
    own = [row for row in made if kinds.get(row["model"]) not in {"control", "general"}]
    return own[-1] if own else None


def model_figures(model: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """English name, Japanese name and value of the few figures that the head carries."""
    made, rows = _last(model), list[tuple[str, str, str]]()
    if made is None:
        return rows
    if made["trained"].get("tokens"):
        rows.append(("tokens shown", "見せたトークン", short(made["trained"]["tokens"])))
    control = next((row["name"] for row in model["roles"] if row["kind"] == "control"), None)
    wanted = [("domain", None, "perplexity on the domain, against the base", "専門分野での変化（ベース比）")]
    wanted += [("domain", control, "the same, against the control", "同（対照比）")] if control else []
    wanted += [("general", None, "on general text, against the base", "一般の文章での変化（ベース比）")]
    for kind, against, en, ja in wanted:
        found = _first(model, kind, made["model"], against)
        if found is not None:
            span = interval(found, signed)
            rows.append((f"{en} {span}".rstrip(), f"{ja} {span}".rstrip(), signed(found["value"])))
    return [*rows, *_sat(model, made["model"])]


def _sat(model: Mapping[str, Any], name: str) -> list[tuple[str, str, str]]:
    """What a model got right, book closed, of the first exam on the field that it sat."""
    for facts in model["exam"]:
        own = [arm["name"] for arm in facts["arms"] if arm["model"] == name and not arm["open_book"]]
        found = [(paper, row) for paper in facts["papers"] if not paper["general"] for row in paper["arms"]
                 if row["arm"] in own and row["accuracy"]]  # fmt: skip
        if found:
            paper, row = found[0]
            span, chance = interval(row["accuracy"], percent), percent(row["chance"])
            label = str(paper["label"])
            en = f"of {label} right, closed book {span}, chance {chance}"
            return [(en, f"{label} の正答率、資料なし {span}、偶然 {chance}", percent(row["accuracy"]["value"]))]
    return []


def _first(model: Mapping[str, Any], kind: str, name: str, against: str | None) -> dict[str, Any] | None:
    """The change of a model on the first test set of a kind; ``against`` None means the reference."""
    for facts in model["perplexity"]:
        for test in facts["tests"]:
            found = change(test, name, against or facts["reference"]) if test["kind"] == kind else None
            if found is not None and found["value"] is not None:
                return found
    return None
