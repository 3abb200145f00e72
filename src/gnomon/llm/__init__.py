"""Row 1: the doors to models: embedders today, chat and log-likelihood in time."""
