"""Conversations of several turns, answered in context and judged turn by turn, in the shape of MT-Bench."""
