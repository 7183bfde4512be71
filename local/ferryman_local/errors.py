"""Errors that several parts of the local AWS raise."""


class EmulatorError(Exception):
    """The emulator did not start or stopped unexpectedly, or its container engine cannot be used."""
