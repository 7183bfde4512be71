"""The example platform: its apps work, and its faults fail as they say."""
