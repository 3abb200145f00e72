"""What pages and API both tell: plain functions over an open expert, their results Pydantic models."""
