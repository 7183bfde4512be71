"""Every boto3 client that notify uses, at once."""

from typing import Any

from unit.fakes.github import TOKEN
from unit.fakes.secrets import FakeSecrets
from unit.fakes.slack import BOT_TOKEN

WEBHOOK = "https://hooks.slack.com/services/T000/B000/hunter2"


class FakeServices(FakeSecrets):
    """Secrets Manager, SES and SNS: what was sent stays here. `before_mail` is called with each mail."""

    def __init__(self) -> None:
        super().__init__(token=TOKEN, bot=BOT_TOKEN, hook=WEBHOOK)
        self.mails: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.before_mail: Any = None

    def __call__(self, service: str) -> "FakeServices":
        assert service in ("secretsmanager", "ssm", "sesv2", "sns"), service
        return self

    def send_email(self, **mail: Any) -> None:
        if self.before_mail is not None:
            self.before_mail(mail)
        self.mails.append(mail)

    def publish(self, **note: Any) -> None:
        self.notes.append(note)

    def texts(self) -> list[str]:
        return [mail["Content"]["Simple"]["Body"]["Text"]["Data"] for mail in self.mails]
