"""Documents over HTTP: a record with its text, copies, questions and training."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["documents"])
