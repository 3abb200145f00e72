"""Recipes, the starter library and small models: what Gnomon ships ready to run."""
