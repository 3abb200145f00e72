"""Row 2: exam items, and what a model or a library makes of them."""
