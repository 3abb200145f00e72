"""Solving multiple-choice questions without a language model: retrieval, and how well options fit what is found."""
