"""Row 2: chunks, the hybrid index, and the trace of text to corpus."""
