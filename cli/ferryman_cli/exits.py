"""Exit codes of the command, and the error that ends it. `ferryman --help` lists the codes, too."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes."""

    OK = 0
    FAILED = 1
    """The operation failed: a deployment did not succeed, or a verification found problems."""
    BAD_INPUT = 2
    """Bad input: an invalid document, option or confirmation, or something that does not exist."""
    UNREACHABLE = 3
    """The operator cannot be found or reached, does not accept the credentials, or is broken."""
    REFUSED = 4
    """The request is valid but not allowed in the current state."""
    PROPOSED = 5
    """The document was not applied: it waits for approval."""


class Stop(Exception):
    """Ends the command with a message for people and an exit code."""

    def __init__(self, code: Exit, message: str) -> None:
        self.code = code
        super().__init__(message)
