"""Releases over many services, within AWS's quotas: `python -m simulation.quotas`."""
