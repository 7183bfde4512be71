"""What becomes of what a person asks for: one module per command. Pure."""
