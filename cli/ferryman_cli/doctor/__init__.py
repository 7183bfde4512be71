"""What `ferryman doctor` looks at.

`eyes` reads, `examine` wires, and all other modules judge what was read: they are pure.
"""
