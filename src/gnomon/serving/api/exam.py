"""The exam over HTTP: every score with its interval, every item with every answer."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["exam"])
