"""Ask over HTTP: a cited answer, whole or as it grows (server-sent events)."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["ask"])
