"""Exporting a model: the files that others' programs open."""
