"""Command lines that several end-to-end tests share."""

ALONE = ("run", "quickstart", "--set", "base=none")
"""The starter library without a model: what most of these tests are about, in seconds."""
