"""Every decision: what is due, who may, and what it means. Pure: no AWS, no HTTP, no clock."""
