"""The `ferryman` command: a thin client of the operator's API. It never touches the table."""
