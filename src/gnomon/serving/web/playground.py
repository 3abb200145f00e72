"""The page where models write."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
