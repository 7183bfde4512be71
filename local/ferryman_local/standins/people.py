"""Simulated people and programs around an approval: an inbox, a person who decides, and a mail scanner.

Used by the demo and the flow tests. They use the page as a browser does: through its HTML.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urljoin

import httpx

PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile"
SCANNER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks/1.0 (link protection)"
_LINK = re.compile(r"https?://[^\s<>\"']+?/a/[0-9A-HJKMNP-TV-Z]{26}(?:/[A-Za-z0-9_-]+)?")
"""A deployment's id is a ULID; the nonce after it makes the link personal."""
GUESSES = ("1234567", "yes", "approve", "APPROVE", "DEPLOY", "production", "v1.0.0", "latest", "' or '1'='1", "1")
"""The values that a scanner types into text fields."""


class Inbox:
    """The emails that SES has sent on this AWS."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def mails(self, to: str = "", about: str = "") -> list[dict[str, Any]]:
        """Emails to an address that contain a text; oldest first."""
        answer = httpx.get(f"{self._endpoint}/_ministack/ses/messages", timeout=10, trust_env=False)
        found = [mail for mails in answer.json()["messages"].values() for mail in mails]
        found = [mail for mail in found if to in ",".join(mail.get("To", []))]
        found = [mail for mail in found if about in f"{mail.get('Subject', '')}\n{mail.get('BodyText', '')}"]
        return sorted(found, key=lambda mail: float(mail["Timestamp"]))

    def links(self, to: str, deployment: str = "") -> list[str]:
        """The personal links that were sent to an address, oldest first; optionally only those of one deployment."""
        return [link for mail in self.mails(to) if (link := personal_link(mail)) and f"/a/{deployment}" in link]


def personal_link(mail: Mapping[str, Any]) -> str | None:
    """The link `…/a/<deployment>/<nonce>` in an email; text and HTML must have the same one."""
    in_text = [link for link in _LINK.findall(mail.get("BodyText") or "") if _is_personal(link)]
    in_html = [link for link in _LINK.findall(unescape(mail.get("BodyHtml") or "")) if _is_personal(link)]
    assert set(in_html) <= set(in_text) or not in_text, "the text and the HTML of an email have different links"
    return next(iter([*in_text, *in_html]), None)


def _is_personal(link: str) -> bool:
    return len(link.partition("/a/")[2].split("/")) == 2


@dataclass
class Form:
    """A form of a page: its action, and its fields with their initial values."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    """Fields for a person to fill in."""
    buttons: list[tuple[str, str]] = field(default_factory=list)
    """Name and value of each button that submits."""

    def submissions(self, texts: Sequence[str]) -> Iterator[dict[str, str]]:
        """All submissions of an automatic visitor: each button, and no button, with each text in every field."""
        for text in texts:
            filled = {name: text if name in self.typed else value for name, value in self.fields.items()}
            yield filled
            for name, value in self.buttons:
                yield {**filled, name: value}


class _Reader(HTMLParser):
    """Collects the forms and links of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "form":
            self.forms.append(Form(values.get("action", ""), values.get("method", "get").upper()))
        elif self.forms and tag in ("input", "textarea", "select", "button"):
            self._field(self.forms[-1], tag, values)

    @staticmethod
    def _field(form: Form, tag: str, values: dict[str, str]) -> None:
        name, kind = values.get("name", ""), values.get("type", "text" if tag != "button" else "submit")
        if kind in ("submit", "image"):
            form.buttons.append((name or "submit", values.get("value", "")))
        elif name:
            form.fields[name] = values.get("value", "")
            if kind != "hidden":
                form.typed.add(name)


@dataclass(frozen=True)
class Page:
    """A page as it was received."""

    url: str
    status: int
    headers: Mapping[str, str]
    html: str

    @property
    def forms(self) -> list[Form]:
        """The forms of the page."""
        return self._read().forms

    @property
    def links(self) -> list[str]:
        """The links of the page, as absolute URLs."""
        return [urljoin(self.url, link) for link in self._read().links]

    @property
    def text(self) -> str:
        """The approximate text of the page: without style sheet, tags and repeated spaces."""
        body = re.sub(r"<(style|script)\b.*?</\1>", " ", self.html, flags=re.S)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())

    @property
    def heading(self) -> str:
        """The main heading of the page."""
        found = re.search(r"<h1\b[^>]*>(.*?)</h1>", self.html, re.S)
        return " ".join(unescape(re.sub(r"<[^>]*>", "", found[1])).split()) if found else ""

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader


class Visitor:
    """Opens pages; does not follow redirects."""

    agent = PHONE

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=30, trust_env=False, headers={"user-agent": self.agent})
        self.seen: list[tuple[str, str, int]] = []
        """Method, URL and status of all requests."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def ask(self, method: str, url: str, **more: Any) -> Page:
        """Send one request."""
        answer = self._client.request(method, url, **more)
        self.seen.append((method, url, answer.status_code))
        return Page(url, answer.status_code, dict(answer.headers), answer.text)

    def open(self, url: str) -> Page:
        """Open a page."""
        return self.ask("GET", url)

    def submit(self, page: Page, form: Form, values: Mapping[str, str]) -> Page:
        """Submit a form as a browser does, and follow its redirect."""
        to = urljoin(page.url, form.action) if form.action else page.url
        if form.method == "GET":
            return self.ask("GET", to, params=dict(values))
        answer = self.ask("POST", to, data=dict(values))
        if answer.status in (302, 303) and "location" in answer.headers:
            return self.open(urljoin(to, answer.headers["location"]))
        return answer


class Person(Visitor):
    """A person who has a link and decides."""

    def decide(self, link: str, decision: str, version: str, reason: str = "", **more: str) -> Page:
        """Open the page, type the version, and press the button; return the resulting page.

        Raise AssertionError if the page does not have the button.
        """
        page = self.open(link)
        form = next((form for form in page.forms if ("decision", decision) in form.buttons), None)
        assert form is not None, f"{link.rpartition('/a/')[0]}: no button to {decision} on the page: {page.text[:600]}"
        values = {**form.fields, "version": version, "reason": reason, "decision": decision, **more}
        return self.submit(page, form, {name: value for name, value in values.items() if name in form.fields or value})


class Scanner(Visitor):
    """A mail scanner: it opens every link, and submits every form."""

    agent = SCANNER

    def visit(self, link: str, guesses: Sequence[str] = GUESSES) -> list[int]:
        """Send HEAD, OPTIONS and GET, submit every form with empty or guessed fields, open links; return statuses."""
        before = len(self.seen)
        for method in ("HEAD", "OPTIONS", "GET"):
            self.ask(method, link)
        page = self.open(link)
        for form in page.forms:
            for values in form.submissions(["", *guesses]):
                self.submit(page, form, values)
        for other in page.links:
            if other.startswith(page.url.partition("/a/")[0]):
                self.open(other)
        return [status for _, _, status in self.seen[before:]]
