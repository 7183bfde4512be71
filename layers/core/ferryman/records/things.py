"""The names of what a platform can own (`Ownership.things`). Pure.

Two names of one thing are spelled alike here: an ARN like the name in it, in lower case, without spaces around it.
Where AWS tells lower and upper case apart, that only makes us stricter.
"""

import hashlib
import re

LONGEST = 100
"""Bytes of a thing's name (`records.limits`): a longer one ends in a hash of it."""
UNKNOWN = "?"
"""In place of a cluster whose name could not be read: it may be any."""
_SUFFIX = re.compile(r"-[a-z0-9]{6}")
"""What Secrets Manager adds to a secret's name in its ARN."""


def service(cluster: str, name: str) -> str:
    """Return the thing that an ECS service is; `cluster` is a name or an ARN."""
    return _thing("service", f"{_last(cluster)}/{_last(name)}")


def family(name: str) -> str:
    """Return the thing that a task definition is: its family, whatever the revision."""
    return _thing("family", _last(name).partition(":")[0])


def role(name: str) -> str:
    """Return the thing that a role is. Its name is unique in an account, whatever its path and its case."""
    return _thing("role", _last(name))


def schedule(group: str, name: str) -> str:
    """Return the thing that a schedule of EventBridge Scheduler is."""
    return _thing("schedule", f"{plain(group)}/{plain(name)}")


def rule(bus: str, name: str) -> str:
    """Return the thing that a rule of EventBridge is."""
    return _thing("rule", f"{plain(bus)}/{plain(name)}")


def secrets(arn: str) -> list[str]:
    """Return the things that the ARN of a secret can mean: with, and without, the suffix that AWS adds to its name."""
    name = plain(arn)
    short = name[:-7] if _SUFFIX.fullmatch(name[-7:]) else name
    return [_thing("secret", one) for one in dict.fromkeys((name, short))]


def topic(arn: str) -> str:
    """Return the thing that an SNS topic is."""
    return _thing("topic", plain(arn))


def anywhere(thing: str) -> str | None:
    """Return the thing that a service is as long as nobody knows its cluster; None for other things."""
    kind, _, name = thing.partition(":")
    return _thing(kind, f"{UNKNOWN}/{name.partition('/')[2]}") if kind == "service" else None


def words(thing: str) -> str:
    """Return a thing as people read it."""
    kind, _, name = thing.partition(":")
    first, _, second = name.partition("/")
    match kind:
        case "service" if first == UNKNOWN:
            return f"service {second}"
        case "service":
            return f"service {second} of cluster {first}"
        case "family":
            return f"task definition family {name}"
        case "role":
            return f"IAM role {name}"
        case "rule":
            bus, _, rule_name = name.rpartition("/")
            return f"rule {rule_name}" if bus == "default" else f"rule {rule_name} of event bus {bus}"
        case "secret":
            return f"secret {name.rpartition(':')[2]}"
        case "topic":
            return f"SNS topic {name.rpartition(':')[2]}"
        case _:
            return f"{kind} {name}"


def plain(name: str) -> str:
    """Return a name without what may be written differently: spaces around it and the case of its letters."""
    return name.strip().lower()


def _last(name: str) -> str:
    return plain(name).rpartition("/")[2]


def _thing(kind: str, name: str) -> str:
    thing = f"{kind}:{name}"
    if len(thing.encode()) <= LONGEST:
        return thing
    # The names that AWS allows are ASCII.
    digest = hashlib.sha256(thing.encode()).hexdigest()[:32]
    return f"{thing.encode()[: LONGEST - 36].decode(errors='ignore')}…-{digest}"
