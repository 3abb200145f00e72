"""Open questions and conversations: answers in a model's own words, held against a reference or judged by a model."""
