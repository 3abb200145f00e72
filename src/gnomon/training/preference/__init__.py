"""Training on preferences: of two answers to a question, the one that is wanted and the one that is not."""
