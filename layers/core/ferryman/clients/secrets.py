"""Reading a secret for what it is there for, and what stands in it: the value itself, or JSON with a field."""

import json

from ferryman.clients.aws_errors import translated
from ferryman.clients.aws_types import MakeClient
from ferryman.clients.ssm import References
from ferryman.errors import PermanentError
from ferryman.platform import secret_uses
from ferryman.platform.secret_uses import Use


class SecretRefused(PermanentError):
    """A secret is not there for what a document uses it for. The text holds its name and nothing of its value."""


def read(client: MakeClient, value: str, platform: str, use: Use, references: References | None = None) -> str:
    """Return the text of a platform's secret; `value` is its ARN or a reference to it.

    Raise SecretRefused before anything is read when its name says that it is for something else; ReferenceUnresolved,
    Throttled, Unavailable, or ClientError with what else AWS answers.
    """
    arn = (references or References(client("ssm"))).text(value)
    why = secret_uses.problem(arn, platform, use)
    if why is not None:
        raise SecretRefused(why)
    with translated():
        answer = client("secretsmanager").get_secret_value(SecretId=arn)
    return str(answer.get("SecretString") or "")


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
