"""Row 4: the window over an expert: pages for people, an HTTP API for programs, tools for agents."""
