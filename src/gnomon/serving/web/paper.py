"""The page of one document."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
