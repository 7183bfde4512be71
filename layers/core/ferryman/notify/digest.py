"""One message that names many, when more wait for a destination than people would read one by one. Pure."""

from collections.abc import Sequence

from ferryman.messages.outbox import subject_line
from ferryman.records import OutboxMessage

EVENT = "digest"
LONGEST = 50
"""Messages that one digest names: their subjects fit into every channel."""


def digest_of(messages: Sequence[OutboxMessage]) -> OutboxMessage:
    """Return the message that names all of `messages`, of which there is at least one. It is sent, never stored."""
    first = messages[0]
    ordered = sorted(messages, key=lambda message: message.created_at)
    places = list(dict.fromkeys(_place(message) for message in ordered))
    shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    lines = [f"{message.created_at:%H:%M:%S} {subject_line(message.subject)}" for message in ordered]
    return first.but(
        event=EVENT,
        environment=first.environment if len(places) == 1 else None,
        subject=subject_line(f"{len(messages)} more: {shown}"),
        text="\n\n".join(
            [
                f"{len(messages)} more messages, in UTC. None is about a failure or asks for an approval.",
                "\n".join(lines),
                "They came faster than this channel takes messages. The command `history` shows each in full.",
            ]
        ),
        detail={},
    )


def _place(message: OutboxMessage) -> str:
    return f"{message.platform}/{message.environment}" if message.environment else message.platform
