"""Delivering the outbox: Slack, SNS and mail, at least once per deployment, event and channel."""
