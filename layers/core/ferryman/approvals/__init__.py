"""Asking people whether a deployment may go on, and what becomes of their answers."""
