"""The protocol of OpenAI: models, chat, completions, embeddings. Any of its clients will do.

``docs/design/openai-protocol.md`` says what is honoured, what is refused, and what is added.
"""

from fastapi import APIRouter

from gnomon.serving.api.openai import chat, completions, models

router = APIRouter(prefix="/v1", tags=["openai"])
for part in (models, chat, completions):
    router.include_router(part.router)
