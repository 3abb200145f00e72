"""The home page: the library, the models, the exam, and what to try."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
