"""Completion over HTTP: a text continued by the expert's models side by side."""

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["complete"])
