"""Row 0: the records, spans, text rules, settings, errors, files and protocols all rooms share."""
