"""Delivering the outbox to channels, approvers and GitHub: at least once per deployment, event and channel."""
