"""Row 5: the command line, one module per group of commands, imported lazily."""
