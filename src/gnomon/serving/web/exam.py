"""The page of scores, and of every item."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
