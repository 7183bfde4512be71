"""The steps of the state machines: one module per Lambda, with the name of its function, and what only steps need."""
