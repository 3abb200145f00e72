"""The exam over HTTP: every score with its interval, every question with every answer."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.serving.api.refusals import refusals
from gnomon.serving.facts.answered import Question, question
from gnomon.serving.facts.cost import Costs, costs
from gnomon.serving.facts.evidence import Evidence, evidence
from gnomon.serving.facts.exam import Sitting, sittings
from gnomon.serving.facts.items import ItemsPage, Right, Wanted, items
from gnomon.serving.facts.measures import Embedding, Perplexity, embeddings, perplexities
from gnomon.serving.facts.paging import LAST_PAGE, MOST_ROWS, PAGE_SIZE
from gnomon.serving.house import House, Housed

router = APIRouter(prefix="/api/exam", tags=["exam"])
Name = Annotated[str, Field(max_length=200)]


class Exams(BaseModel):
    """Everything that was measured of an expert."""

    model_config = ConfigDict(frozen=True)

    sittings: tuple[Sitting, ...] = Field(description="Its exams, those that only chose among candidates last.")
    perplexity: tuple[Perplexity, ...] = Field(description="How well models predict texts they were not shown.")
    embeddings: tuple[Embedding, ...] = Field(description="How models see documents from inside.")


class ItemsQuery(BaseModel):
    """Which questions are asked for."""

    model_config = ConfigDict(frozen=True)

    sitting: Name = Field("", description="Role of the exam; empty for the first.", examples=["exam"])
    paper: Name = Field("", description="One of its papers; empty for the first.")
    arm: Name = Field("", description="Whose answers are looked at; empty for nobody's.", examples=["solver"])
    right: Right = Field("", description="How that arm did; without an arm it says nothing.")
    subject: Name = Field("", description="Subject code.", examples=["astro-ph.CO"])
    language: Name = Field(
        "", description="ISO 639-1 code of the questions; `lang` is the language of the page.", examples=["ja"]
    )
    q: str = Field("", description="Words that the question or its options hold.")
    page: int = Field(1, ge=1, le=LAST_PAGE, description="Which page, from 1.")
    rows: int = Field(PAGE_SIZE, ge=1, le=MOST_ROWS, description="Questions of a page.")

    def wanted(self, house: House) -> Wanted:
        """The same for the facts.

        Raises:
            ConfigError: The words are too many.
        """
        most = house.limits.query_characters
        if len(self.q) > most:
            raise ConfigError(
                say(f"q has {len(self.q):,} characters; {most:,} are read here.",
                    f"q が {len(self.q):,} 文字ある。ここで読めるのは {most:,} 文字まで。"),
                say("Look for fewer words.", "語を減らす。"),
            )  # fmt: skip
        return Wanted(sitting=self.sitting, paper=self.paper, arm=self.arm, right=self.right, subject=self.subject,
                      lang=self.language, text=self.q)  # fmt: skip


class CostQuery(BaseModel):
    """Which costs are asked for."""

    model_config = ConfigDict(frozen=True)

    sitting: Name = Field("", description="Role of the exam; empty for the first.")
    usd_per_hour: float | None = Field(
        None, gt=0, le=1e6, description="Price of the machine on which local models ran, by the hour, in USD.",
        examples=[2.5],
    )  # fmt: skip
    published: bool = Field(False, description="Whether published models are told as well, for scale.")


class CostForm(CostQuery):
    """The same as a form sends it."""

    @field_validator("usd_per_hour", mode="before")
    @classmethod
    def _nothing(cls, value: object) -> object:
        """A field of a form that was left empty."""
        return None if value == "" else value


class Answered(BaseModel):
    """A question with every answer, and what they rest on."""

    model_config = ConfigDict(frozen=True)

    question: Question = Field(description="The question with every arm's answer.")
    evidence: Evidence = Field(description="The sentence it rests on, and the passages that open books give.")


@router.get("", summary="What was measured", responses=refusals())
async def describe_exams(house: Housed) -> Exams:
    """Every arm of every exam with n, interval, unscored and a paired test against the base; perplexity; embeddings."""

    def read() -> Exams:
        opened = house.opened
        return Exams(sittings=sittings(opened), perplexity=perplexities(opened), embeddings=embeddings(opened))

    return await house.readers.run(read)


@router.get("/cost", summary="Accuracy and cost", responses=refusals(404))
async def describe_costs(house: Housed, asked: Annotated[CostQuery, Query()]) -> Costs:
    """What arms of an exam cost and how often they were right; null where nobody knows a price.

    Prices come from the log of calls, from `usd_per_hour` over the speed that was measured, or as stated.
    """
    return await house.readers.run(
        costs, house.opened, asked.sitting, usd_per_hour=asked.usd_per_hour, published=asked.published
    )


@router.get("/items", summary="Questions of an exam", responses=refusals(404))
async def list_items(house: Housed, asked: Annotated[ItemsQuery, Query()]) -> ItemsPage:
    """The questions of a paper, by subject, language and words, and by whether an arm answered rightly."""
    return await house.readers.run(items, house.opened, asked.wanted(house), asked.page, asked.rows)


@router.get("/items/{item_id:path}", summary="A question with every answer", responses=refusals(404))
async def show_item(
    house: Housed, item_id: Annotated[str, Path(max_length=500, description="The question.")],
    sitting: Annotated[str, Query(max_length=200, description="Role of the exam; empty for the first.")] = "",
    paper: Annotated[str, Query(max_length=200, description="Its paper; empty for the first.")] = "",
) -> Answered:  # fmt: skip
    """A question with its options, what every arm took and how sure it was, and the sentence its answer rests on."""

    def read() -> Answered:
        found = question(house.opened, item_id, sitting, paper)
        return Answered(question=found, evidence=evidence(house.opened, found))

    return await house.readers.run(read)
