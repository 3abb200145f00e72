"""Trace over HTTP: where the words of a text stand, and what follows a phrase."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["trace"])
