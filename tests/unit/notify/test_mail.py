"""How a message looks in a mail: nothing in it can act, nothing is lost."""

from ferryman.notify import mail
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
