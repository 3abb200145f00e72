"""The protocol of OpenAI: models, chat, completions, embeddings."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["openai"])
