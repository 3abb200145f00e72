"""The section on what the numbers do not say, and on exam questions kept from models."""

from collections.abc import Iterator, Mapping
from typing import Any

from gnomon.evaluation.report.markup import Content, Markup, both, el, join
from gnomon.evaluation.report.models.axes import plain
from gnomon.evaluation.report.models.names import Names, source_name, table, test_name
from gnomon.evaluation.report.words import number

MANY_PASSES = 4.0
"""Passes up to which repeated text is nearly as good as new (Muennighoff et al., arXiv 2305.16264)."""
FEW = 100
"""Documents below which a test set is called small."""


def limits(model: Mapping[str, Any], names: Names) -> Markup:
    """What a reader should not conclude; what is missing in this build is named."""
    return el("ul", join(el("li", point) for point in [*_of_perplexity(model), *_of_others(model)]), class_="limits")


def _of_perplexity(model: Mapping[str, Any]) -> Iterator[Content]:
    yield both(
        "A lower perplexity is not expertise. Models continued on astronomy, which predicted its texts better, have"
        " answered exam questions worse than their own base (arXiv 2409.19750). Only questions asked and answers"
        " checked show expertise.",
        "パープレキシティの低さは専門性ではない。天文学で継続学習し、その文章をよりよく予測するモデルが、試験では"
        "元のモデルに劣った例がある（arXiv 2409.19750）。専門性は、問うて答えを確かめることでしか分からない。",
    )
    tests = [test for facts in model["perplexity"] for test in facts["tests"]]
    kinds = {row["kind"] for facts in model["perplexity"] for row in facts["models"]}
    if tests and "control" not in kinds:
        yield both(
            "There is no control here (the base, trained on equally many tokens of general text), so what more training"
            " alone would have gained is not known.",
            "対照（一般の文章を同じトークン数だけ学習したモデル）がないため、学習量だけで得られた分は分からない。",
        )
    if tests and not any(test["kind"] == "general" for test in tests):
        yield both("Nothing outside the domain was measured, so what was forgotten is not known.",
                   "専門分野の外は測っていないので、何を失ったかは分からない。")  # fmt: skip
    worn = _worn(model)
    if worn:
        yield both(
            f"The control went over its few general texts {plain(worn)} times, so it may have learned them by heart:"
            " where it is worse than the base, that is why, and a specialised model above it proves less.",
            f"対照は少ない一般の文章を {plain(worn)} 周したため、暗記した可能性がある。"
            "ベースより悪いのはそのためで、対照を上回っても証拠としては弱い。",
        )
    small = [test for test in tests if test["documents"] < FEW]
    if small:
        told = join(
            piece
            for at, test in enumerate(small)
            for piece in ((", " if at else "", test_name(test), f" ({number(test['documents'])})"))
        )
        yield join(
            [both("Small test sets, with intervals to match: ", "件数の少ない評価集合（区間も相応に広い）: "), told]
        )
    if tests:
        yield both(
            "Intervals say how the figures would move had other documents been drawn, not had the model been trained"
            " again: one seed was trained.",
            "区間は別の文書を引いた場合の揺れであり、学習をやり直した場合の揺れではない。"
            "学習は一つのシードだけである。",
        )


def _worn(model: Mapping[str, Any]) -> float:
    """How often a control passed over a source, where that is too often; else 0."""
    controls = {row["name"] for row in model["roles"] if row["kind"] == "control"}
    packs = [pack for pack in model["tokens"] if controls.intersection(pack["used_by"])]
    most = max((source["repeats"] for pack in packs for source in pack["sources"]), default=0.0)
    return float(most) if most > MANY_PASSES else 0.0


def _of_others(model: Mapping[str, Any]) -> Iterator[Content]:
    adopted = any(row["stage"] == "adopt" for row in model["pedigree"])
    if adopted:
        yield both(
            "The base was made by others or elsewhere: it may have seen what is held out here. Only documents later"
            " than its own data speak for it.",
            "ベースはこの構築の外で作られたもので、ここで取り分けた文書を見ているかもしれない。"
            "確かなのはその学習データより後の文書だけである。",
        )
    if model["embedding"]:
        yield both(
            "A histogram of similarities shows spread, not meaning. Last-layer means of a language model were never"
            " trained to be compared; the general embedder was.",
            "類似度の分布が示すのは広がりであって意味ではない。言語モデルの最終層の平均は比較のために学習されたもの"
            "ではなく、汎用埋め込みはそのために学習されている。",
        )
    if model["exam"]:
        yield both(
            "Published exam questions may stand in what a base was trained on, by whomever; an arm with the library at"
            " hand may find in it the very paper a question was made from. p belongs to each pair by itself: among"
            " twenty pairs without any difference one falls below 0.05.",
            "公開された試験問題はベースの学習データに含まれている可能性があり、資料を参照する回答者は問題の"
            "元になった論文そのものを見つけることもある。p は組ごとの値で、差のない 20 組のうち一つは 0.05 を下回る。",
        )
    if model["open"] or model["conversation"]:
        yield both(
            "A judge is a language model: it likes long and confident answers, knows no more than it was taught, and"
            " other judges give other points. Its marks are no measure of truth.",
            "審査役は言語モデルであり、長く自信ありげな回答を好み、学習した以上のことは知らない。別の審査役は別の点を"
            "つける。その点は真偽の尺度ではない。",
        )
    if model["completion"]:
        yield both(
            "Overlap, numbers and names are counted by their letters: a right statement in other words scores as low as"
            " a wrong one. They compare models, not truths.",
            "重なり・数値・固有名は文字で数える。別の言い方の正しい文は、誤った文と同じく低くなる。"
            "比べているのはモデルであって真偽ではない。",
        )


def kept_from(model: Mapping[str, Any]) -> Markup:
    """What decontamination looked for in each body of text."""
    rows = [row for row in model["contamination"] if row["items"]]
    if not rows:
        return Markup("")
    heads = [
        both("documents of", "文書"), both("read", "調べた文書"), both("exam questions", "試験問題"),
        both("questions found", "見つかった問題"), both("documents kept from models", "モデルから伏せた文書"),
    ]  # fmt: skip
    cells = [
        [
            both("the library", "文献庫") if row["step"] == "decontaminate" else source_name(row["step"]),
            *(number(row[key]) if row[key] is not None else "–" for key in ("taken", "items", "leaked", "withheld")),
        ]
        for row in rows
    ]
    caption = el("figcaption", both("Exam questions looked for", "試験問題の照合"))
    return el("figure", caption, table(heads, cells, range(1, 5)))
