"""The extractive writer: questions made of a text's own sentences, with no model."""
