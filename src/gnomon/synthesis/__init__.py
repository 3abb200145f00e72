"""Synthesis: questions written from documents, judged, chosen, and made into examples."""
