"""Errors that several parts of the local AWS raise."""


class EmulatorError(Exception):
    """The emulator did not start, or died; or the container engine that it needs cannot be used."""
