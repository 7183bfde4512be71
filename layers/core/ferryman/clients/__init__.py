"""AWS, GitHub, Slack and HTTP: each function asks one question or does one thing, with its client as an argument."""
