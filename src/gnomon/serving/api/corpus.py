"""The corpus over HTTP: what it is made of, what was left out and why."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["corpus"])
