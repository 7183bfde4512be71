"""The placeholder image: what a service runs before its first release."""
