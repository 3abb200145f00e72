"""Search over HTTP: passages, facets, similar papers, export, completion of types."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["search"])
