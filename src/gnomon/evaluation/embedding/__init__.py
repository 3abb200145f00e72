"""What a model's hidden states say about documents: similarities, retrieval, subjects."""
