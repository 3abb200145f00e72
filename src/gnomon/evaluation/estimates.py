"""Estimates of steps that put questions to models, in the form that ``plan`` asks for.

Counted are the calls to endpoints, and those to judges wherever they run; the time of weights on this machine is not
told. Where the questions are made, prompts are built as the step builds them; before, only bounds are known.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from gnomon.core.errors import DataError
from gnomon.core.estimates import Calls, Estimate, Range, exactly, of_calls
from gnomon.core.records import Drop, Item
from gnomon.core.tables import TableWriter
from gnomon.core.wording import say
from gnomon.evaluation.conversation.config import ChatConfig
from gnomon.evaluation.conversation.questions import Question
from gnomon.evaluation.conversation.questions import read_questions as read_conversations
from gnomon.evaluation.exam.arms import Arm, Paper
from gnomon.evaluation.exam.config import ExamConfig
from gnomon.evaluation.exam.generate import LETTERS_TOKENS
from gnomon.evaluation.exam.papers import DEV, ITEMS, Questions, read_questions
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.open.config import ITEMS as OPEN_ITEMS
from gnomon.evaluation.open.config import OpenConfig
from gnomon.evaluation.open.judging import prompt
from gnomon.evaluation.open.questions import Sheet as OpenSheet
from gnomon.evaluation.open.questions import read_open
from gnomon.evaluation.roles import Role
from gnomon.llm.expected import NOTHING, Load, expected, is_endpoint, tokens_of, tokens_of_characters
from gnomon.runs.known import Known

T = TypeVar("T")
UNKNOWN = Load(calls=Range(), tokens_in=Range(), tokens_out=Range())


def exam(config: ExamConfig, known: Known) -> Estimate | None:
    """What the calls of ``evaluation/exam`` to endpoints come to; None when no arm is one."""
    arms = [arm for arm in config.arms if _asked(arm, config.models, known)]
    if not arms:
        return None
    papers = {paper.name: _questions(paper, config, known) for paper in config.exams}
    calls = list[Calls]()
    for arm in arms:
        sat = [(paper, papers[paper.name]) for paper in config.exams if paper.sat_by(arm)]
        load = sum((_paper_load(arm, paper, found[0], config) for paper, found in sat), NOTHING)
        calls.append(_of_arm(arm, config.models, load, known, [why for _, (_, why) in sat if why]))
    return of_calls(calls)


def open_questions(config: OpenConfig, known: Known) -> Estimate | None:
    """What the calls of ``evaluation/open_questions`` to endpoints and to the judge come to; None without either."""
    folder = known.inputs().get(OPEN_ITEMS)
    items, why = _waiting(OPEN_ITEMS, known) if folder is None else _read(
        lambda drops: read_open(folder, config.max_items, config.seed, drops)[0]
    )  # fmt: skip
    calls = [
        _of_arm(arm, config.models, _open_load(arm, items, config), known, [why] if why else [])
        for arm in config.arms if _asked(arm, config.models, known)
    ]  # fmt: skip
    if config.judge is not None:
        load = _marking(items, config, len(config.arms))
        calls.append(expected(config.judge.name, load, known.settings, known.cache, why))
    return of_calls(calls)


def chat_exam(config: ChatConfig, known: Known) -> Estimate | None:
    """What the calls of ``evaluation/chat_exam`` to endpoints and to the judge come to."""
    found, why = _read(
        lambda drops: read_conversations(known.step.sources["files"], config.max_items, config.seed, drops)[0]
    )
    questions, talkers = found or [], [role for role in config.models if role.ref is not None]
    load = UNKNOWN if found is None else sum((_talk(question, config) for question in questions), NOTHING)
    calls = [
        expected(role.ref.name, load, known.settings, known.cache, why)
        for role in talkers if role.ref is not None and is_endpoint(role.ref.name, known.settings)
    ]  # fmt: skip
    one = UNKNOWN if found is None else sum((_marks(question, config) for question in questions), NOTHING)
    judging = sum([one] * len(config.models), NOTHING)
    return of_calls([*calls, expected(config.judge.name, judging, known.settings, known.cache, why)])


# Who is asked, and what -----------------------------------------------------------------------


def _asked(arm: Arm, roles: Sequence[Role], known: Known) -> bool:
    """Whether an arm's model is an endpoint."""
    return any(
        role.name == arm.model and role.ref is not None and is_endpoint(role.ref.name, known.settings)
        for role in roles
    )  # fmt: skip


def _of_arm(arm: Arm, roles: Sequence[Role], load: Load, known: Known, why: Sequence[str]) -> Calls:
    name = next(role.ref.name for role in roles if role.name == arm.model and role.ref is not None)
    reasons = [say(f"arm {arm.name}", f"アーム {arm.name}"), *dict.fromkeys(why)]
    return expected(name, load, known.settings, known.cache, say("; ", "；").join(reasons))


def _read(read: Callable[[TableWriter], T]) -> tuple[T | None, str]:
    """What a reader finds, or why there is nothing: the run will say so too, the plan need not stop."""
    with _unheard() as drops:
        try:
            return read(drops), ""
        except DataError as error:
            return None, str(error)


@contextmanager
def _unheard() -> Iterator[TableWriter]:
    """A table of drops that nobody reads."""
    with TemporaryDirectory() as folder, TableWriter(Path(folder) / "drops.parquet", Drop) as drops:
        yield drops


def _waiting(name: str, known: Known) -> tuple[None, str]:
    step = known.step.inputs[name].name
    return None, say(f"the questions are known after {step}", f"問題の数は {step} の後でわかる")


def _questions(paper: Paper, config: ExamConfig, known: Known) -> tuple[Questions | None, str]:
    """The questions of a paper, or why they are not known yet."""
    inputs = known.inputs()
    for name in (ITEMS + paper.name, DEV + paper.name):
        if name in known.step.inputs and name not in inputs:
            return _waiting(name, known)
    return _read(lambda drops: read_questions(paper, inputs, config.shots, config.seed, drops))


# The exam -------------------------------------------------------------------------------------


def _paper_load(arm: Arm, paper: Paper, questions: Questions | None, config: ExamConfig) -> Load:
    """The calls of one arm for one paper."""
    if questions is None:
        orders = config.orders if arm.hangs_on_order else 1
        most = paper.max_items * orders if arm.mode == "generate" and paper.max_items and orders else None
        calls = Range(least=0, most=most)
        return Load(calls=calls, tokens_in=Range(), tokens_out=calls * Range(least=1, most=config.max_tokens))
    form = {"letter": arm.style, "option": "option", "generate": "json"}[arm.mode]
    sheet = Sheet(
        form=form, several=questions.several and arm.names_several, dev=questions.dev, shots=config.shots,
        opened=not (arm.mode == "generate" and arm.chat),
    )  # fmt: skip
    shelf = _passages(config.passage_characters) if arm.open_book else exactly(0)
    return sum((_item_load(arm, item, sheet, shelf, config) for item in questions.items), NOTHING)


def _item_load(arm: Arm, item: Item, sheet: Sheet, shelf: Range, config: ExamConfig) -> Load:
    """The calls for one question: one an order; of a mode that weighs options, one an order and option."""
    orders = (config.orders or len(item.choices)) if arm.hangs_on_order else 1
    writes = arm.mode == "generate"
    calls = exactly(orders if writes else orders * len(item.choices))
    most = 1 if not writes else config.max_tokens if arm.chat else LETTERS_TOKENS
    read = tokens_of(sheet.prompt(item)) + shelf
    return Load(calls=calls, tokens_in=calls * read, tokens_out=calls * Range(least=int(writes), most=most))


def _passages(characters: int) -> Range:
    """Tokens of the passages before a question; without a bound in the settings none is known."""
    return tokens_of_characters(characters) if characters else Range()


# Open questions and conversations ---------------------------------------------------------------


def _open_load(arm: Arm, items: Sequence[Item] | None, config: OpenConfig) -> Load:
    """One call a question."""
    if items is None:
        calls = Range(least=0, most=config.max_items or None)
        return Load(calls=calls, tokens_in=Range(), tokens_out=calls * Range(least=1, most=config.max_tokens))
    sheet, calls = OpenSheet(chat=arm.chat), exactly(len(items))
    shelf = _passages(config.passage_characters) if arm.open_book else exactly(0)
    told = sum((tokens_of(sheet.prompt(item)) + shelf for item in items), exactly(0))
    return Load(calls=calls, tokens_in=told, tokens_out=calls * Range(least=1, most=config.max_tokens))


def _marking(items: Sequence[Item] | None, config: OpenConfig, arms: int) -> Load:
    """One judgement an answer, none where there is no answer."""
    calls = Range(least=0, most=(config.max_items if items is None else len(items)) * arms or None)
    out = calls * Range(least=1, most=config.judge_tokens)
    if items is None:
        return Load(calls=calls, tokens_in=Range(), tokens_out=out)
    told = [_rules(f"answer-{config.prompt}", item.lang) + tokens_of(item.prompt + item.reference) for item in items]
    most = sum((one.most or 0) + config.max_tokens for one in told) * arms
    return Load(calls=calls, tokens_in=Range(least=0, most=most), tokens_out=out)


def _rules(name: str, lang: str) -> Range:
    return tokens_of(prompt(name, lang))


def _talk(question: Question, config: ChatConfig) -> Load:
    """The calls of one conversation: every turn is read with all that was said before; a failed one ends it."""
    turns = [tokens_of(turn) for turn in question.turns]
    most = sum(sum(t.most or 0 for t in turns[: n + 1]) + n * config.max_tokens for n in range(len(turns)))
    calls = Range(least=1, most=len(turns))
    return Load(calls=calls, tokens_in=Range(least=turns[0].least, most=most),
                tokens_out=calls * Range(least=1, most=config.max_tokens))  # fmt: skip


def _marks(question: Question, config: ChatConfig) -> Load:
    """The judgements of one conversation: one an answered turn, read with all before it and the reference."""
    rules = _rules(f"chat-{config.prompt}", question.lang).most or 0
    most = 0.0
    for turn in range(len(question.turns)):
        said = [*question.turns[: turn + 1], question.reference(turn)]
        most += rules + sum(tokens_of(text).most or 0 for text in said) + (turn + 1) * config.max_tokens
    calls = Range(least=0, most=len(question.turns))
    return Load(calls=calls, tokens_in=Range(least=0, most=most),
                tokens_out=calls * Range(least=1, most=config.judge_tokens))  # fmt: skip
