"""Packing: documents become tokens, tokens become rows of equal length, and nothing is lost on the way."""
