"""Row 3: questions answered with citations."""
