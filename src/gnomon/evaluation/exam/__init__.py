"""The exam: multiple-choice questions put to models, to retrieval and to chance, and what their answers are worth."""
