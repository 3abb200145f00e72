"""A real instruct model from a folder of weights: what it says is cited or marked, its letters count, its pairs quote.

No such model ships with Gnomon. Name a folder of one (config, safetensors, tokenizer) that has a chat template:

    GNOMON_INSTRUCT_MODEL=weights/ pytest -m slow tests/e2e/test_instruct_model.py

Nothing here asks how good the model is; all of it holds for a bad one too.
"""

import math
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "research"))
sys.path.insert(0, str(Path(__file__).parents[1] / "synthesis"))

from shelf import Shelf
from test_ask import ASKED, PAPERS, check_traceable
from writing import DOCUMENTS

from gnomon.core.messages import Message
from gnomon.core.records import Drop, Item
from gnomon.core.settings import Settings
from gnomon.core.synthetic import QA
from gnomon.evaluation.exam.asking import Asking
from gnomon.evaluation.exam.generate import Writing, Written
from gnomon.evaluation.exam.likeliest import Likeliest
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.llm.chat import ChatOptions
from gnomon.llm.local import LocalModel, load_local
from gnomon.research.voice import VoiceConfig, speak
from gnomon.synthesis.asked import Asked
from gnomon.synthesis.model_writers import How, write_with
from gnomon.synthesis.proposals import settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
VARIABLE = "GNOMON_INSTRUCT_MODEL"
QUESTION = Item(
    id="q", prompt="Which of these is a planet?", choices=("Mars", "Sirius", "The Moon", "Vega"), targets=(0,),
    lang="en",
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> LocalModel:
    folder = Path(os.environ.get(VARIABLE) or "nowhere")
    if not (folder / "config.json").is_file():
        pytest.skip(f"needs an instruct model: set {VARIABLE} to a folder with its weights, tokenizer and template")
    return load_local(folder, Settings(offline=True))


def test_it_is_known_to_chat_and_its_answers_end(model: LocalModel) -> None:
    assert model.ref.kind == "instruct"
    (reply,) = model.chat([[Message(role="user", text="Reply with the one word: yes")]], ChatOptions(max_tokens=512))
    assert reply.finish == "stop"
    assert not any(mark in reply.text for mark in ("<|", "|>", "[INST]", "</s>"))


def test_what_it_answers_is_cited_or_marked_or_refused(model: LocalModel) -> None:
    shelf = Shelf(PAPERS)
    given = speak(ASKED, shelf, model, config=VoiceConfig(max_tokens=200))
    known = {citation.id for citation in given.citations}
    check_traceable(given, shelf)
    assert given.refused == (not given.citations)
    assert all(claim.doubt or claim.citations for claim in given.claims)
    assert all(set(claim.citations) <= known for claim in given.claims)


def test_it_sits_an_exam_by_letters_by_options_and_in_writing(model: LocalModel) -> None:
    for form in ("json", "option"):
        (output,) = Likeliest(model, Asking(Sheet(form=form), model)).solve([QUESTION])
        assert output.reason == ""
        assert output.chosen[0] in range(4)
        assert all(math.isfinite(score) for score in output.log_probs or ())
    sheet = Sheet(form="json", opened=False)
    (written,) = Written(model, Asking(sheet, model), Writing(max_tokens=200)).solve([QUESTION])
    assert bool(written.chosen) != bool(written.reason), "an answer, or the reason why there is none"


def test_a_pair_that_it_writes_quotes_the_document_or_is_a_counted_refusal(model: LocalModel) -> None:
    asked = Asked(document=DOCUMENTS[0], lang="en", amount=1)
    how = How(kinds=("open",), prompt="1", passage=1_800, seed=0, options=ChatOptions(max_tokens=300))
    (written,) = write_with(model, [asked], how)
    made = [*(settle(proposal, asked.document) for proposal in written.proposals), *written.drops]
    assert len(made) == written.spending.calls == 1
    for one in made:
        assert isinstance(one, QA | Drop)
        if isinstance(one, Drop):
            assert one.reason
        else:
            spans = [(held.span, held.quote) for held in one.evidence]
            assert spans
            assert all(asked.document.text[span.start : span.end] == quote for span, quote in spans)
