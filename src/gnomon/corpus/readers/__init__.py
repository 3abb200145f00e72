"""Readers: one module per format, each turning a file into drafts of documents."""
