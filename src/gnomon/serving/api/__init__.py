"""What programs see: the protocol of OpenAI under ``/v1``, Gnomon's own under ``/api``."""

from fastapi import FastAPI

from gnomon.serving.api import ask, complete, corpus, documents, exam, lineage, openai, search, trace


def install(app: FastAPI) -> None:
    """Give an application every path of the API."""
    for part in (search, ask, trace, documents, lineage, corpus, exam, complete, openai):
        app.include_router(part.router)
