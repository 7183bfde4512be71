"""One function per command; `ferryman_cli.main` registers them."""
