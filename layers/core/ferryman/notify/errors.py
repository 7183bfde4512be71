"""Why a message could not be delivered, or need not be."""


class NotDelivered(Exception):
    """The channel did not accept the message. The failure is counted and retried later; no step raises or sees it."""


class NotNeeded(Exception):
    """The message is obsolete, for example because its request has been decided. It is dropped with its reason."""


class NoDestination(Exception):
    """The document does not, or no longer, have a message's channel: the message is given up."""
