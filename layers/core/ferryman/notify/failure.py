"""Why a message could not be delivered."""


class NotDelivered(Exception):
    """The channel did not take the message. It is counted and tried again later; no step ever raises or sees it."""
