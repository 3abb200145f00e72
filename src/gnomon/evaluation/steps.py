"""The door of the evaluation room: one function per step."""

from collections.abc import Mapping, Sequence
from typing import Any

from gnomon.core.records import ModelRef
from gnomon.evaluation.answers import PREFIX as EXAMPLES
from gnomon.evaluation.answers import AnswersConfig
from gnomon.evaluation.completion import CompletionConfig
from gnomon.evaluation.conversation.config import ChatConfig
from gnomon.evaluation.cost.step import CostConfig
from gnomon.evaluation.embedding.step import RETRIEVAL, EmbeddingConfig
from gnomon.evaluation.exam.arms import Arm, Paper, standard_arms
from gnomon.evaluation.exam.config import ExamConfig
from gnomon.evaluation.exam.papers import DEV, ITEMS
from gnomon.evaluation.harness.config import LmEvalConfig
from gnomon.evaluation.harness.export import ExportConfig
from gnomon.evaluation.heldout import PREFIX as DOCUMENTS
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.items import ItemsConfig
from gnomon.evaluation.open.config import ITEMS as OPEN_ITEMS
from gnomon.evaluation.open.config import OpenConfig, answering_arms
from gnomon.evaluation.perplexity import PerplexityConfig
from gnomon.evaluation.report.make import ReportConfig
from gnomon.evaluation.roles import Models, roles_and_steps
from gnomon.llm.embedders import PACKAGED
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Step


def items(files: FileSet, **settings: Any) -> Step:
    """Read exam questions from JSON Lines, JSON, CSV or Parquet files.

    Args:
        files: What to read.
        settings: Fields of ``ItemsConfig``.
    """
    return Step(
        name="evaluation/items",
        entry="gnomon.evaluation.items:run",
        version=2,
        config=ItemsConfig(**settings),
        sources={"files": files},
    )


def report(steps: Mapping[str, Step], **settings: Any) -> Step:
    """Describe a build on one page: what it is made of, what was left out and why, and what its models learned.

    Args:
        steps: Any of ``ingest``, ``clean``, ``dedup``, ``decontaminate``, ``items``, ``chunk``, ``index``, ``vectors``,
            ``trace``, by these names; and, under any name, steps that leave models, tokens or measures of models: they
            are known by their files. A recipe may give all it made.
        settings: Fields of ``ReportConfig``.
    """
    return Step(
        name="evaluation/report",
        entry="gnomon.evaluation.report.make:run",
        version=1,
        config=ReportConfig(**settings),
        inputs=steps,
    )


def perplexity(models: Models, tests: Mapping[TestSet | str, Step], **settings: Any) -> Step:
    """Measure how well models predict held-out documents: what was gained, and what forgotten.

    Args:
        models: Steps that leave a model, or references to models that no step made, by the part they play, in the order
            of the tables; a bare name that is a kind (``base``, ``control``, ``general``) has that kind, any other is
            ``specialised``.
        tests: Steps that leave held-out documents; a bare name stands for the ``test`` part of domain documents.
        settings: Other fields of ``PerplexityConfig``.
    """
    roles, steps = roles_and_steps(models)
    sets = {TestSet(name=key) if isinstance(key, str) else key: step for key, step in tests.items()}
    return Step(
        name="evaluation/perplexity",
        entry="gnomon.evaluation.perplexity:run",
        version=1,
        config=PerplexityConfig(models=roles, tests=tuple(sets), **settings),
        inputs=steps | {DOCUMENTS + test.name: step for test, step in sets.items()},
    )


def answers(models: Models, sets: Mapping[str, Step], **settings: Any) -> Step:
    """Measure how well models predict what the assistant says in held-out conversations.

    Args:
        models: Steps that leave a model, as in ``perplexity``.
        sets: Steps that leave examples, by the name of the set.
        settings: Other fields of ``AnswersConfig``.
    """
    roles, steps = roles_and_steps(models)
    return Step(
        name="evaluation/answers",
        entry="gnomon.evaluation.answers:run",
        version=1,
        config=AnswersConfig(models=roles, sets=tuple(sets), **settings),
        inputs=steps | {EXAMPLES + name: step for name, step in sets.items()},
    )


def embedding(
    models: Models,
    documents: Step,
    embedder: ModelRef = PACKAGED,
    retrieval: FileSet | None = None,
    **settings: Any,
) -> Step:
    """Compare what models' hidden states say of documents with what a general embedder says.

    Args:
        models: Steps that leave a model, as in ``perplexity``.
        documents: A step that leaves held-out documents.
        embedder: The general embedder.
        retrieval: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv``, or nothing for no retrieval.
        settings: Other fields of ``EmbeddingConfig``; ``part`` is that of the documents (``test``).
    """
    roles, steps = roles_and_steps(models)
    held = TestSet(name="held_out", part=settings.pop("part", "test"))
    return Step(
        name="evaluation/embedding",
        entry="gnomon.evaluation.embedding.step:run",
        version=1,
        config=EmbeddingConfig(models=roles, documents=held, embedder=embedder, **settings),
        inputs=steps | {DOCUMENTS + held.name: documents},
        sources={} if retrieval is None else {RETRIEVAL: retrieval},
    )


def completion(models: Models, documents: Step, **settings: Any) -> Step:
    """Let models continue the first sentences of held-out documents, side by side.

    Args:
        models: Steps that leave a model, or references to other models, as in ``perplexity``.
        documents: A step that leaves held-out documents.
        settings: Other fields of ``CompletionConfig``; ``part`` is that of the documents (``test``).
    """
    roles, steps = roles_and_steps(models)
    held = TestSet(name="held_out", part=settings.pop("part", "test"))
    return Step(
        name="evaluation/completion",
        entry="gnomon.evaluation.completion:run",
        version=1,
        config=CompletionConfig(models=roles, documents=held, **settings),
        inputs=steps | {DOCUMENTS + held.name: documents},
    )


def exam(
    models: Models,
    exams: Mapping[Paper | str, Step],
    *,
    dev: Mapping[str, Step] | None = None,
    library: Mapping[str, Step] | None = None,
    arms: Sequence[Arm] = (),
    **settings: Any,
) -> Step:
    """Put multiple-choice questions to models, closed and open book, to the solver without a model, and to chance.

    Args:
        models: Steps that leave a model, or references to other models, as in ``perplexity``.
        exams: Steps that leave items; a bare name stands for a paper of domain questions that every arm sits.
        dev: Steps that leave the dev split of an exam, by its name: examples are taken from it, scores never.
        library: ``index`` and ``vectors`` for open-book arms and the solver; None for closed book alone.
        arms: Who sits the exam; empty for chance, every model, and with a library the solver and every model with it.
        settings: Other fields of ``ExamConfig``.
    """
    roles, steps = roles_and_steps(models)
    papers = {Paper(name=key) if isinstance(key, str) else key: step for key, step in exams.items()}
    config = ExamConfig(
        models=roles, exams=tuple(papers), arms=tuple(arms) or standard_arms(roles, library=bool(library)), **settings
    )
    questions = {ITEMS + paper.name: step for paper, step in papers.items()}
    examples = {DEV + name: step for name, step in (dev or {}).items()}
    return Step(
        name="evaluation/exam",
        entry="gnomon.evaluation.exam.step:run",
        version=1,
        config=config,
        inputs={**steps, **questions, **examples, **(library or {})},
        asks="gnomon.evaluation.estimates:exam",
    )


def open_questions(
    models: Models,
    items: Step,
    *,
    judge: ModelRef | None = None,
    library: Mapping[str, Step] | None = None,
    arms: Sequence[Arm] = (),
    **settings: Any,
) -> Step:
    """Put open questions to models, closed and open book, and hold the answers against references.

    Args:
        models: Steps that leave a model, or references to other models, as in ``perplexity``.
        items: A step that leaves items with reference answers.
        judge: The model that gives 1 to 5 points with the reference at hand; None for overlap with it alone.
        library: ``index`` and ``vectors`` for open-book arms; None for closed book alone.
        arms: Who answers; empty for every model closed book and, with a library, with it too.
        settings: Other fields of ``OpenConfig``.
    """
    roles, steps = roles_and_steps(models)
    chosen = tuple(arms) or answering_arms(models, library=bool(library))
    return Step(
        name="evaluation/open_questions",
        entry="gnomon.evaluation.open.step:run",
        version=1,
        config=OpenConfig(models=roles, arms=chosen, judge=judge, **settings),
        inputs={**steps, OPEN_ITEMS: items, **(library or {})},
        asks="gnomon.evaluation.estimates:open_questions",
    )


def chat_exam(models: Models, files: FileSet, judge: ModelRef, **settings: Any) -> Step:
    """Hold conversations of several turns with models, judged turn by turn, as MT-Bench does.

    Args:
        models: Steps that leave a model that can chat, or references to other models, as in ``perplexity``.
        files: The user's own copy of the questions, in MT-Bench's format; its files of reference answers too.
        judge: The model that gives 1 to 10 points; none of the models.
        settings: Other fields of ``ChatConfig``.
    """
    roles, steps = roles_and_steps(models)
    return Step(
        name="evaluation/chat_exam",
        entry="gnomon.evaluation.conversation.step:run",
        version=1,
        config=ChatConfig(models=roles, judge=judge, **settings),
        inputs=steps,
        sources={"files": files},
        asks="gnomon.evaluation.estimates:chat_exam",
    )


def lm_eval(models: Models, tasks: Sequence[str], *, include: FileSet | None = None, **settings: Any) -> Step:
    """Let models sit tasks of lm-evaluation-harness, with its prompts and metrics.

    Args:
        models: Steps that leave a model, or references to weights, as in ``perplexity``.
        tasks: Names as ``lm_eval ls tasks`` lists them, or of the included files.
        include: A folder of the user's own task files; code that they name runs.
        settings: Other fields of ``LmEvalConfig``.
    """
    roles, steps = roles_and_steps(models)
    return Step(
        name="evaluation/lm_eval",
        entry="gnomon.evaluation.harness.step:run",
        version=1,
        config=LmEvalConfig(models=roles, tasks=tuple(tasks), **settings),
        inputs=steps,
        sources={} if include is None else {"include": include},
    )


def harness_files(items: Step, models: Models | None = None, **settings: Any) -> Step:
    """Write questions as tasks of lm-evaluation-harness and of llm-jp-eval, with the commands that run them.

    Args:
        items: A step that leaves items.
        models: Steps that leave a model, or references: llm-jp-eval's command knows them by role.
        settings: Other fields of ``ExportConfig``.
    """
    roles, steps = roles_and_steps(models or {})
    return Step(
        name="evaluation/harness_files",
        entry="gnomon.evaluation.harness.export:run",
        version=1,
        config=ExportConfig(models=roles, **settings),
        inputs={**steps, "items": items},
    )


def cost_chart(exam: Step, **settings: Any) -> Step:
    """Draw what the arms of an exam cost and how often they were right, beside published models.

    Args:
        exam: A step of ``exam``.
        settings: Fields of ``CostConfig``: the price of the machine by the hour, a line of human experts…
    """
    return Step(
        name="evaluation/cost_chart",
        entry="gnomon.evaluation.cost.step:run",
        version=1,
        config=CostConfig(**settings),
        inputs={"exam": exam},
    )
