"""Ferryman: an operator for Amazon ECS. Nothing happens at import: no clients, no environment reads, no clocks."""

__version__ = "0.1.0"
