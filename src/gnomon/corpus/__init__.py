"""Row 2: papers in, clean text out: ingest, clean, dedup, decontaminate, split."""
