"""Tuning an embedder: which texts belong together, in which order they are seen, and whether it helped."""
