"""Why a message could not be delivered, or need not be."""


class NotDelivered(Exception):
    """The channel did not take the message. It is counted and tried again later; no step ever raises or sees it."""


class NotNeeded(Exception):
    """The message has become pointless, as a request that was decided meanwhile: dropped with its reason."""
