"""Decisions about people's requests: one module per command. Pure."""
