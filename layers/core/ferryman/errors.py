"""Every error a step may raise. The state machines match these class names in `ErrorEquals`.

Two kinds only: a `TransientError` is worth another try of the same call, a `PermanentError` is not. Waiting is neither:
it is a verdict. `tests/contract` holds the names here and the names in `statemachines/` together.
"""


class FerrymanError(Exception):
    """Base of all errors that Ferryman raises on purpose."""


class PermanentError(FerrymanError):
    """Trying again without a change cannot help."""


class TransientError(FerrymanError):
    """Trying the same call again may help: throttling, time-outs, a lost race."""


class InvalidInput(PermanentError):
    """An event or a step's input does not fit its contract."""


class InvalidDocument(PermanentError):
    """A platform document is wrong; `problems` names each path and what would be right."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))


class NotFound(PermanentError):
    """A platform, environment, release or deployment with that name does not exist."""


class Refused(PermanentError):
    """A person's request was understood and is not allowed in the present state."""


class VerificationFailed(PermanentError):
    """The ECS side is not what the document says: a service, container, role or setting is missing or wrong."""


class ReferenceUnresolved(PermanentError):
    """An `ssm:` reference names a parameter that is missing, a SecureString or empty."""


class DigestMismatch(PermanentError):
    """An image is not the one that the release froze."""


class TagImmutable(PermanentError):
    """A tag names another image already, and its repository lets no tag be moved."""


class ClaimLost(PermanentError):
    """The writer's fence is no longer the environment's: somebody else owns it now."""


class OutcomeUnknown(PermanentError):
    """A mutation may or may not have happened, and nothing that AWS still tells can decide it."""


class Throttled(TransientError):
    """AWS asked us to slow down, beyond what the client's own retries absorbed."""


class Unavailable(TransientError):
    """AWS, or the network to it, failed or did not answer in time."""


class Conflict(TransientError):
    """Another writer was faster, repeatedly; the next try reads the new state."""


class NotVisibleYet(TransientError):
    """Something that was just made is not listed yet (eventual consistency)."""
