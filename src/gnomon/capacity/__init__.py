"""Row 1: what work takes: hours, memory, disk and money, as pure functions."""
