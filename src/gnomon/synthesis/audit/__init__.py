"""The audit page: a random sample of pairs for a person to read and label."""
