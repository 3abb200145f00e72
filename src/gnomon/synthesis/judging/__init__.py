"""Judging: what speaks for and against a question-answer pair, by rule and by model."""
