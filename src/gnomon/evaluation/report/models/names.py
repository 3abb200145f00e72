"""How models are called and marked on the page: one name, one colour and one shape each."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, escape

MODELS = {
    "base": ("base", "ベース"), "specialised": ("specialised", "専門化"), "control": ("control", "対照"),
    "embedder": ("general embedder", "汎用埋め込み"), "majority": ("majority class", "最多の分野"),
    "another_ending": ("another paper’s ending", "別の論文の続き"), "general": ("general", "汎用"),
    "middle": ("mid-trained", "中間学習"), "long": ("long context", "長文脈"),
    "instruct": ("instruct, the partner", "汎用 instruct"), "tuned": ("tuned", "指示調整"),
    "preferred": ("preferred", "選好調整"), "final": ("final", "最終"),
}  # fmt: skip
TESTS = {
    "by_hash": ("Domain, held out at random", "専門分野・無作為に除いた文書"),
    "by_time": ("Domain, later than all that was shown", "専門分野・学習した文書より後のもの"),
    "general": ("General text", "一般の文章"), "held_out": ("Held-out documents", "取り分けた文書"),
    "instructions": ("Questions and answers", "質問と回答"),
    "chat": ("Conversations: what the assistant says", "会話のアシスタントの発話"),
}  # fmt: skip
STAGES = {
    "adopt": ("adopted", "既存モデルを採用"), "pretrain": ("pre-trained from nothing", "事前学習"),
    "midtrain": ("mid-trained", "中間学習"), "cpt": ("continued pre-training", "継続事前学習"),
    "sft": ("fine-tuned on conversations", "会話による微調整"), "dpo": ("trained on preferences", "選好の学習"),
    "merge": ("merged", "マージ"), "choose": ("chosen by an exam", "試験による選択"),
    "tune_embedder": ("embedder tuned to the field", "埋め込みの調整"),
    "distil_embedder": ("distilled to a static embedder", "静的埋め込みへの蒸留"),
    "": ("not made here", "この構築の外で作成"),
}  # fmt: skip
SOURCES = {"domain": ("domain", "専門分野"), "general": ("general text", "一般の文章"),
           "instructions": ("instructions", "指示データ"), "chat": ("conversations", "会話"),
           "questions": ("questions on the domain", "専門分野の問題")}  # fmt: skip
FAMILIES = {
    "base": ("s-base",), "specialised": ("s-spec", "s-spec2", "s-spec3"), "control": ("s-ctrl",),
    "general": ("s-gen", "s-gen2"), "embedder": ("s-emb",), "chance": ("s-chance",),
}  # fmt: skip


class Names:
    """Names and marks of the models of a report.

    Args:
        roles: ``name``, ``kind`` and ``label`` of each, in the order of the tables.
    """

    def __init__(self, roles: Sequence[Mapping[str, str]]) -> None:
        self._labels = {row["name"]: row["label"] for row in roles}
        self._styles: dict[str, str] = {"majority": "s-chance"}
        taken: dict[str, int] = {}
        for row in roles:
            kind = row["kind"] or (row["name"] if row["name"] in FAMILIES else "specialised")
            family = FAMILIES.get(kind, FAMILIES["chance"])
            at = taken[kind] = taken.get(kind, -1) + 1
            self._styles.setdefault(row["name"], family[min(at, len(family) - 1)])
        self.kinds = {row["name"]: row["kind"] for row in roles}

    def style(self, name: str) -> str:
        """The class of a model's colour and mark."""
        return self._styles.get(name, "s-chance")

    def name(self, name: str) -> Markup:
        """A model's name in both languages."""
        label = self._labels.get(name, name)
        if label not in {name, ""}:
            return escape(label)
        return both(*MODELS[name]) if name in MODELS else escape(name)

    def words(self, name: str) -> str:
        """The same for a pointer, in English."""
        label = self._labels.get(name, name)
        return label if label not in {name, ""} else MODELS.get(name, (name, name))[0]

    def chip(self, name: str) -> Markup:
        """A model's mark and name."""
        return el("span", el("i", class_=f"mark-of {self.style(name)}"), self.name(name), class_="chip")


def source_name(name: str) -> Markup:
    """The name of a source of text."""
    return both(*SOURCES[name]) if name in SOURCES else escape(name)


def test_name(test: Mapping[str, Any]) -> Markup:
    """The name of a test set."""
    if test["label"] != test["name"]:
        return escape(test["label"])
    return both(*TESTS[test["name"]]) if test["name"] in TESTS else escape(test["name"])


test_name.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of its name


def table(heads: Sequence[Content], rows: Sequence[Sequence[Content]], numbers: Sequence[int] = ()) -> Markup:
    """A table that scrolls where there is no room.

    Args:
        heads: Of the columns; the first names the row.
        rows: Cells of each row.
        numbers: Columns that are numbers.
    """
    head = el("tr", join_cells("th", heads, numbers, scope="col"))
    body = [
        el("tr", el("th", row[0], scope="row"), join_cells("td", row[1:], [n - 1 for n in numbers])) for row in rows
    ]
    return el("div", el("table", el("thead", head), el("tbody", *body), class_="measures"), class_="wide")


def join_cells(kind: str, cells: Sequence[Content], numbers: Sequence[int], **more: str) -> Markup:
    """Cells of one kind."""
    return Markup(
        "".join(el(kind, cell, class_="n" if at in numbers else None, **more) for at, cell in enumerate(cells))
    )
