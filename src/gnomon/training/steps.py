"""The door of the training room: one function per step."""
