"""What stands in a secret: the value itself, or JSON with a field of a known name. Pure."""

import json


def value_in(secret: str, *fields: str) -> str:
    """Take the value out of a secret, without white space around it; empty when it holds none.

    Raise ValueError, which quotes nothing of it, when it begins like JSON and is none.
    """
    text = secret.strip()
    if not text.startswith("{"):
        return text
    try:
        data = json.loads(text)
    except ValueError:
        raise ValueError(f"the secret is neither the value itself nor JSON with a field `{fields[0]}`") from None
    return next((str(data[name]).strip() for name in fields if data.get(name)), "")
