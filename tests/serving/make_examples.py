"""Writes the answers that the OpenAPI document shows: real ones, of the quickstart expert, shortened.

    python tests/serving/make_examples.py WORKSPACE

Run it again when an operation's answer changes; a test tells when one no longer fits.
"""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.serving.app import app
from gnomon.serving.schema import EXAMPLES

TEXT = "My draft says: only four were approaching the Sun; the other 21 were receding. I did not copy this part."
QUESTION = "What did Hubble find about the velocities of nebulae in 1929?"
PAPER = "local:hubble-1929"
MOST, LONGEST = 2, 240
"""Elements of a list, and characters of a text, that an example shows."""


def requests(client: TestClient) -> dict[tuple[str, str], Any]:
    """Of every operation with a JSON answer: (method, path template) to what is asked for."""
    answer = client.post("/api/ask", json={"question": QUESTION}).json()["id"]
    item = client.get("/api/exam/items").json()["rows"][0]["id"]
    return {
        ("GET", "/api/voices"): "/api/voices", ("GET", "/api/ask"): f"/api/ask?question={QUESTION}",
        ("POST", "/api/ask"): ("/api/ask", {"question": QUESTION}),
        ("GET", "/api/answers/{answer_id}"): f"/api/answers/{answer}",
        ("GET", "/api/answers/{answer_id}/colours"): f"/api/answers/{answer}/colours",
        ("POST", "/api/trace"): ("/api/trace", {"text": TEXT}), ("GET", "/api/trace/next"): "/api/trace/next?phrase=the+Milky",
        ("GET", "/api/trace/count"): "/api/trace/count?phrase=the+Milky+Way",
        ("GET", "/api/search"): "/api/search?q=expansion+of+the+universe&k=2",
        ("GET", "/api/documents/{doc_id}"): f"/api/documents/{PAPER}",
        ("GET", "/api/documents/{doc_id}/similar"): f"/api/documents/{PAPER}/similar",
        ("GET", "/api/documents/{doc_id}/provenance"): f"/api/documents/{PAPER}/provenance",
        ("GET", "/api/lineage/{name}"): f"/api/lineage/{PAPER}", ("GET", "/api/corpus"): "/api/corpus",
        ("GET", "/api/corpus/dropped"): "/api/corpus/dropped", ("GET", "/api/corpus/duplicates"): "/api/corpus/duplicates",
        ("GET", "/api/corpus/contamination"): "/api/corpus/contamination", ("GET", "/api/exam"): "/api/exam",
        ("GET", "/api/exam/items"): "/api/exam/items?arm=solver", ("GET", "/api/exam/items/{item_id}"): f"/api/exam/items/{item}",
        ("GET", "/api/exam/cost"): "/api/exam/cost?usd_an_hour=0.1", ("GET", "/api/models"): "/api/models",
        ("GET", "/v1/models"): "/v1/models", ("GET", "/v1/models/{model}"): "/v1/models/gnomon-ask",
    }  # fmt: skip


def short(value: Any) -> Any:
    """A value with long lists and texts cut."""
    if isinstance(value, dict):
        return {key: short(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [short(inner) for inner in value[:MOST]]
    if isinstance(value, str) and len(value) > LONGEST:
        return value[:LONGEST].rsplit(" ", 1)[0] + " …"
    return value


def main(workspace: Path) -> None:
    served = app(OpenExpert.of(Workspace(str(workspace))))
    found: dict[str, Any] = {}
    with TestClient(served, base_url="http://127.0.0.1:8000") as client:
        ids = {(method.upper(), path): operation["operationId"] for path, row in served.openapi()["paths"].items()
               for method, operation in row.items()}  # fmt: skip
        for key, asked in requests(client).items():
            path, body = asked if isinstance(asked, tuple) else (asked, None)
            told = client.request(key[0], path, json=body)
            if key not in ids or told.status_code != 200:
                print("left out:", key, told.status_code, told.text[:200])
                continue
            found[ids[key]] = short(told.json())
    text = json.dumps(dict(sorted(found.items())), ensure_ascii=False, indent=1)
    EXAMPLES.write_text(text + "\n", encoding="utf-8")
    print(len(found), "examples,", len(text), "characters")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
