"""Cleaning: what is mended in a text, what language it is in, and why a text is left out."""
