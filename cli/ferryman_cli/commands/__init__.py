"""The commands, grouped by what they need: one function each, registered by `ferryman_cli.main`."""
