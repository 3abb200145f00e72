"""The page of what the library is made of."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
