"""All errors that a step can raise. The state machines match these class names in `ErrorEquals`.

There are two kinds: a `TransientError` may go away when the same call is retried, a `PermanentError` does not. Waiting
is not an error but a verdict, except for a turn at ECS (`Paced`), which costs transitions only where somebody waits.
`tests/contract` checks that the names here and in `statemachines/` agree.
"""


class FerrymanError(Exception):
    """Base of all errors that Ferryman raises on purpose."""


class PermanentError(FerrymanError):
    """A retry without a change cannot succeed."""


class TransientError(FerrymanError):
    """A retry of the same call may succeed: throttling, timeouts, a lost race."""


class InvalidInput(PermanentError):
    """An event or a step's input does not fit its contract."""


class InvalidDocument(PermanentError):
    """A platform document is invalid; `problems` has the path of each mistake and how to correct it."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))


class NotFound(PermanentError):
    """A platform, environment, release or deployment with that name does not exist."""


class Refused(PermanentError):
    """A person's request is valid but not allowed in the current state."""


class NotPermitted(PermanentError):
    """The caller does not have the role that this request needs."""


class VerificationFailed(PermanentError):
    """ECS does not match the document: a service, container, role or setting is missing or wrong."""


class ReferenceUnresolved(PermanentError):
    """An `ssm:` reference names a parameter that is missing, a SecureString or empty."""


class MachineTooOld(PermanentError):
    """The execution runs on a state machine of an earlier version, which cannot do what the plan needs."""


class DigestMismatch(PermanentError):
    """An image does not have the digest that the release froze."""


class TagImmutable(PermanentError):
    """A tag already names another image, and its repository does not allow tags to move."""


class ClaimLost(PermanentError):
    """The writer's fence no longer matches the environment's: another deployment has the claim."""


class NotItsTurn(PermanentError):
    """A step was called although its deployment is not approved, has ended, goes back, or has an earlier step to do."""


class AlreadyThere(PermanentError):
    """A record that may be written only once was written before."""


class RecordInvalid(PermanentError):
    """DynamoDB refuses a write as invalid: an item above 400 KB, a transaction above 100 actions or 4 MB."""


class OutcomeUnknown(PermanentError):
    """A change may or may not have happened, and AWS no longer has the information to decide which."""


class Throttled(TransientError):
    """A service asked to slow down, more often than the client retries."""

    retry_after: float | None = None
    """Seconds that the service asked to wait, if it said so."""
    operation: str = ""
    """The action whose quota is used up, if AWS said so by its code; empty for other refusals that pass."""


class Unavailable(TransientError):
    """AWS, or the network to it, failed or did not answer in time."""


class Conflict(TransientError):
    """Another writer was faster, repeatedly; the next attempt reads the new state."""


class NotVisibleYet(TransientError):
    """Something that was just created is not listed yet (eventual consistency)."""


class Paced(FerrymanError):
    """Others come first: the state machine waits until the slot and calls again. It reads both from the text."""

    def __init__(self, service: str, seconds: int, slot: str) -> None:
        """`slot`: seconds since 1970; empty when there was none to take, and the next call asks again."""
        self.seconds, self.slot = seconds, slot
        super().__init__(f"ECS takes no more updates now: the turn of {service} is in {seconds} s (slot {slot})")
