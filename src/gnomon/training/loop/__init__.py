"""The training loop: the transformers ``Trainer`` over packed rows, and what it lacks.

Own code only in its gaps: attention that never crosses a document's border on any device, one curve
row a step, checkpoints that are whole or absent, and a stop that names the documents of a bad batch.
"""
