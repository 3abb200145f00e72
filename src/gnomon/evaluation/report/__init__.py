"""The build report: what a library is made of, what was left out and why, on one page."""
