import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from gnomon.evaluation.report.markup import for_reader
from gnomon.evaluation.report.models.names import Names
from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app
from gnomon.serving.facts.exam import Arm, Figure, Paper, sitting
from gnomon.serving.facts.items import Wanted, items
from gnomon.serving.web.scores_chart import scores_file

HTML = {"accept": "text/html", "accept-language": "en"}
JAPANESE = {"accept": "text/html", "accept-language": "ja"}


@pytest.fixture(scope="module")
def client(workspace: Path) -> Iterator[TestClient]:
    """The whole expert, opened once for all tests here: its facts never change."""
    with TestClient(app(OpenExpert.of(Workspace(str(workspace)))), base_url="http://127.0.0.1:8000") as made:
        yield made


def arm(name: str, **changes: object) -> Arm:
    """An arm that got 6 of 10 right."""
    facts = {
        "name": name, "label": name, "kind": "model", "model": name, "mode": "letter", "open_book": False, "n": 10,
        "unscored": {}, "truncated": 0, "accuracy": Figure(value=0.6, low=0.31, high=0.83, n=10), "chance": 0.25,
        "at_chance": False, "if_unscored_were_wrong": 0.6, "log_prob": None, "calibration": None, "by_subject": (),
        "by_lang": (), "against_base": None, "seconds_per_question": None, "usd_per_question": None,
    }  # fmt: skip
    return Arm.model_validate({**facts, **changes})


def test_every_score_comes_with_how_many_its_interval_and_what_was_not_scored(client: TestClient) -> None:
    held = client.get("/api/exam").json()["sittings"]
    assert [one["role"] for one in held] == ["exam", "development_exam"]
    for paper in (paper for one in held for paper in one["papers"]):
        for one in paper["arms"]:
            assert one["n"] + sum(one["unscored"].values()) == paper["items"]
            assert one["accuracy"]["n"] == one["n"]
            assert one["accuracy"]["low"] <= one["accuracy"]["value"] <= one["accuracy"]["high"]


def test_arms_are_compared_with_the_base_and_the_base_with_nobody(opened: OpenExpert) -> None:
    paper = sitting(opened).papers[0]
    arms = {arm.name: arm for arm in paper.arms}
    assert paper.base == "base"
    assert arms["base"].against_base is None
    assert arms["chance"].against_base is None
    for name in set(arms) - {"base", "chance"}:
        beside, accuracy = arms[name].against_base, arms[name].accuracy
        assert beside is not None
        assert beside.difference is not None
        assert accuracy is not None
        base = arms["base"].accuracy
        assert base is not None
        assert beside.difference.value == pytest.approx(accuracy.value - base.value)
        assert beside.better - beside.worse == round(beside.difference.value * beside.n)


def test_a_score_that_cannot_be_is_a_dash_with_its_reason(client: TestClient) -> None:
    page = client.get("/exam", headers=HTML).text
    assert '<span class="why" title="this is the base">–</span>' in page
    assert '<span class="why" title="its scores are no probabilities">–</span>' in page


def test_arms_at_chance_are_called_so(client: TestClient) -> None:
    told = client.get("/api/exam").json()["sittings"][0]["papers"][0]["arms"]
    assert any(one["at_chance"] for one in told if one["kind"] == "model")
    assert "at chance" in client.get("/exam", headers=HTML).text
    assert "at chance" in client.get("/", headers=HTML).text


def test_an_exam_that_only_chose_is_told_as_no_proof(client: TestClient) -> None:
    page = client.get("/exam?sitting=development_exam", headers=HTML).text
    assert "prove nothing" in page
    assert "prove nothing" not in client.get("/exam", headers=HTML).text


def test_the_table_stands_in_the_order_asked_for(client: TestClient) -> None:
    page = client.get("/exam?sort=accuracy", headers=HTML).text
    table = page[page.index('id="table-1"') :]
    arms = client.get("/api/exam").json()["sittings"][0]["papers"][0]["arms"]
    best = max(arms, key=lambda one: one["accuracy"]["value"])
    first = table[table.index("<tbody>") : table.index("</tr>", table.index("<tbody>"))]
    assert f"{100 * best['accuracy']['value']:.1f}" in first
    assert 'aria-sort="descending"' in table
    assert client.get("/exam?sort=nonsense", headers=HTML).status_code == 422


def test_the_items_of_an_arm_add_up_to_its_score(opened: OpenExpert) -> None:
    paper = sitting(opened).papers[0]
    solver = next(arm for arm in paper.arms if arm.kind == "solver")
    right = items(opened, Wanted(arm=solver.name, right="right")).total
    wrong = items(opened, Wanted(arm=solver.name, right="wrong")).total
    assert (right + wrong, solver.unscored) == (solver.n, {})
    assert solver.accuracy is not None
    assert right / solver.n == pytest.approx(solver.accuracy.value)


def test_questions_are_found_by_language_subject_and_words(client: TestClient) -> None:
    every = client.get("/api/exam/items", params={"rows": 100}).json()
    first = every["rows"][0]
    word = max(first["prompt"].split(), key=len)
    found = client.get("/api/exam/items", params={"q": word.upper(), "rows": 100}).json()
    assert first["id"] in [row["id"] for row in found["rows"]]
    japanese = client.get("/api/exam/items", params={"language": "ja", "rows": 100}).json()
    assert {row["lang"] for row in japanese["rows"]} == {"ja"}
    subject = first["subject"]
    assert {row["subject"] for row in client.get("/api/exam/items", params={"subject": subject}).json()["rows"]} == {
        subject
    }
    nothing = client.get("/exam/items?q=zzzzzz", headers=HTML)
    assert "No question fits" in nothing.text


def test_a_question_shows_every_arms_answer_and_leads_to_its_evidence(client: TestClient) -> None:
    row = client.get("/api/exam/items").json()["rows"][0]
    told = client.get(f"/api/exam/items/{row['id']}").json()
    asked, rests = told["question"], told["evidence"]
    arms = [one["name"] for one in client.get("/api/exam").json()["sittings"][0]["papers"][0]["arms"]]
    assert [answer["arm"] for answer in asked["answers"]] == [name for name in arms if name != "chance"]
    assert sum(option["right"] for option in asked["options"]) == 1
    for answer in asked["answers"]:
        chosen = [asked["options"][at]["right"] for at in answer["chosen"]]
        assert (answer["score"] == 1) == (chosen == [True])
        assert len(answer["values"]) == len(asked["options"])
    assert row["right"] == sum(answer["score"] == 1 for answer in asked["answers"])
    page = client.get(f"/exam/items/{row['id']}", headers=HTML).text
    place = rests["sentence"]
    assert place["end"] - place["start"] == len(asked["evidence"])
    assert f"/paper/{place['doc_id']}?start={place['start']}&amp;end={place['end']}#span" in page


def test_likelihoods_that_do_not_add_up_are_called_no_probabilities(client: TestClient) -> None:
    row = client.get("/api/exam/items").json()["rows"][0]
    answers = client.get(f"/api/exam/items/{row['id']}").json()["question"]["answers"]
    scales = {answer["kind"]: answer["scale"] for answer in answers}
    assert scales == {"model": "score", "solver": "probability"}
    solver = next(answer for answer in answers if answer["kind"] == "solver")
    assert sum(solver["values"]) == pytest.approx(1)


def test_an_unknown_question_arm_or_paper_is_a_problem_that_names_what_there_is(client: TestClient) -> None:
    assert client.get("/api/exam/items/none").status_code == 404
    told = client.get("/api/exam/items", params={"arm": "nobody"})
    assert told.status_code == 404
    assert "solver" in told.json()["cure"]
    assert client.get("/api/exam/items", params={"sitting": "nowhere"}).status_code == 404
    assert client.get("/api/exam/items", params={"paper": "nowhere"}).status_code == 404
    assert client.get("/api/exam/items", params={"q": "x" * 5_000}).status_code == 422


def test_costs_are_told_only_where_somebody_knows_a_price(client: TestClient) -> None:
    unknown = client.get("/api/exam/cost").json()
    assert unknown["priced"] == 0
    assert {point["usd_per_question"] for point in unknown["points"]} == {None}
    known = client.get("/api/exam/cost", params={"usd_per_hour": 3.6}).json()
    assert known["priced"] > 0
    assert {point["price_from"] for point in known["points"]} == {"clock"}
    assert "Nobody knows what an answer costs" in client.get("/exam?usd_per_hour=", headers=HTML).text
    assert client.get("/api/exam/cost", params={"usd_per_hour": -1}).status_code == 422


def test_files_hold_what_the_page_shows_with_empty_cells_where_nothing_is_known(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/exam/scores.csv").text)))
    base = next(row for row in rows if row["sitting"] == "exam" and row["arm"] == "base")
    assert base["p"] == ""
    assert float(base["accuracy_low"]) <= float(base["accuracy"])
    for name in ("perplexity", "embeddings", "cost"):
        response = client.get(f"/exam/{name}.csv")
        assert "attachment" in response.headers["content-disposition"]
        assert len(response.text.splitlines()) > 1


def test_the_drawing_of_scores_is_a_file_of_its_own(client: TestClient) -> None:
    response = client.get("/exam/scores.svg")
    assert response.headers["content-type"].startswith("image/svg+xml")
    root = ET.fromstring(response.text)
    assert ET.fromstring(client.get("/exam/cost.svg?usd_per_hour=2").text).tag == root.tag
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall(".//{http://www.w3.org/2000/svg}g")) == 12  # the arms, chance among them


def test_an_arm_that_scored_nothing_has_a_dash_and_no_mark() -> None:
    silent = arm("silent", n=0, accuracy=None, unscored={"refused": 10})
    paper = Paper(name="p", label="<p>", items=10, general=False, dropped={}, base="", arms=(arm("loud"), silent))
    about = {one.name: {**one.model_dump(), "way": "", "role_kind": "specialised"} for one in paper.arms}
    names = Names([{"name": name, "kind": "specialised", "label": name} for name in about])
    with for_reader("en"):
        drawn = scores_file(paper, about, names)
    quiet = drawn[drawn.index("silent: nothing was scored") :]
    assert "–" in quiet
    assert 'class="dot' not in quiet
    assert "&lt;p&gt;" in drawn


def test_the_home_page_shows_the_best_arm_the_solver_the_own_model_and_the_base(client: TestClient) -> None:
    home = client.get("/", headers=HTML).text
    table = home[home.index('class="headline"') : home.index("</table>")]
    for words in ("no model: retrieval", "base", "final", "95 % interval"):
        assert words in table


def test_what_to_try_comes_from_the_expert_in_the_readers_language(client: TestClient) -> None:
    english = client.get("/", headers=HTML).text
    japanese = client.get("/", headers=JAPANESE).text
    prompts = {row["prompt"] for row in client.get("/api/exam/items", params={"arm": "solver", "right": "right",
                                                                             "rows": 100}).json()["rows"]}  # fmt: skip
    assert any(prompt in english for prompt in prompts) or "What is known about" in english
    assert "試してみる" in japanese


@pytest.mark.parametrize("headers", [HTML, JAPANESE])
def test_the_text_to_trace_is_one_that_tracing_finds(client: TestClient, headers: dict[str, str]) -> None:
    address = re.search(r'/trace\?text=[^"]+', client.get("/", headers=headers).text)
    assert address is not None
    text = parse_qs(urlsplit(unescape(address.group())).query)["text"][0]
    assert client.post("/api/trace", json={"text": text}).json()["coverage"] > 0.5


def test_models_stand_below_those_they_were_made_from(client: TestClient) -> None:
    home = client.get("/", headers=HTML).text
    line = home[home.index('class="line"') :]
    places = [line.index(f"<b>{role}</b>") for role in ("base", "specialised", "tuned", "final")]
    assert places == sorted(places)
