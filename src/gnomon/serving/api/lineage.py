"""Lineage over HTTP: anything walked back to its source."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["lineage"])
