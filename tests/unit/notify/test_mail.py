"""How a message looks in a mail: nothing in it can act, nothing is lost."""

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from ferryman.notify import mail
from ferryman.notify.errors import NotDelivered
from unit.notify_world import message


def test_mail_is_escaped_and_loads_nothing() -> None:
    html = mail.html(message("<script>alert(1)</script>\n  | <img src=x>", '"><b>'))
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "<pre" in html
    assert "http" not in html


def test_a_link_in_a_mail_is_escaped_and_stands_where_the_text_wants_it() -> None:
    shown = mail.html(message("before\n{{link}}\nafter"), 'https://x/"><script>')
    assert "<script" not in shown
    assert shown.index("before") < shown.index('href="https://x/&quot;&gt;&lt;script&gt;"') < shown.index("after")
    assert "{{link}}" not in shown


def test_a_mail_fits_a_phone_and_its_button_is_wide() -> None:
    html = mail.html(message("before\n{{link}}\nafter"), "https://x/y")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert "display:block" in html


@pytest.mark.parametrize("code", ["MessageRejected", "MailFromDomainNotVerifiedException"])
def test_an_unverified_sender_is_told_with_what_to_do(code: str) -> None:
    class Ses:
        def send_email(self, **_: Any) -> None:
            said = "Email address is not verified. The following identities failed the check: a@b.example"
            raise ClientError({"Error": {"Code": code, "Message": said}}, "SendEmail")

    with pytest.raises(NotDelivered, match=r"a@b.example; verify the sender in SES .*`ferryman doctor` says which"):
        mail.send_mail(message("text"), "a@b.example", ["c@d.example"], cast("Any", Ses()))


def test_links_are_tapped() -> None:
    html = mail.html(message("see https://evil.example").but(detail={"links": {"Log <1>": "https://x.example/?a=1&b"}}))
    assert '<a href="https://x.example/?a=1&amp;b">Log &lt;1&gt;</a>' in html
    assert html.count("<a ") == 1
