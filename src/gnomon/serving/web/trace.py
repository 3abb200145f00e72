"""The page that shows where words come from."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
