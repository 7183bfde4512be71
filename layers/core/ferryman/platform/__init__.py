"""The platform document, `ferryman/v1 Platform`: what people write, parsed and checked. Pure."""

from ferryman.platform.document import (
    ChatChannel,
    Component,
    Environment,
    MailChannel,
    Migration,
    Platform,
    Service,
    SmokeTest,
    TopicChannel,
    Wave,
    channel_of,
    parse,
)
from ferryman.platform.tags import Tag, TagKind, classify

__all__ = [
    "ChatChannel",
    "Component",
    "Environment",
    "MailChannel",
    "Migration",
    "Platform",
    "Service",
    "SmokeTest",
    "Tag",
    "TagKind",
    "TopicChannel",
    "Wave",
    "channel_of",
    "classify",
    "parse",
]
