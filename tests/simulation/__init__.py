"""A simulated world in which the real handlers and state machines run: see README.md."""
