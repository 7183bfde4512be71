"""What mail and chat scanners do: they read a page and send its forms, with whatever stands on it in their fields."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

GUESSES = ["", " ", "approve", "Approve", "yes", "true", "1", "on", "test", "password", "admin@example.com", "v1.0.0"]


@dataclass
class Form:
    """One form: its fields with what they are filled with, and its buttons."""

    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page as a scanner sees it."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self._textarea: str | None = None
        self._hidden = False
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.attributes += given.values()
        self._hidden = tag in ("style", "script")
        if tag == "form":
            self.forms.append(Form())
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "button" and "name" in given:
            self.forms[-1].buttons.append((given["name"], given.get("value", "")))
        elif tag == "input" and "name" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = given["name"]
            self.forms[-1].fields[given["name"]] = ""

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data
        elif not self._hidden:
            self.texts.append(data)

    def words(self) -> list[str]:
        """Everything on the page that could be typed into a field: texts, their words, and those of attributes."""
        found = [text.strip() for text in self.texts]
        for text in [*self.texts, " ".join(self.texts), *self.attributes]:
            found += text.split() + re.split(r"[^A-Za-z0-9]+", text) + re.split(r"[^A-Za-z0-9._%-]+", text)
        return sorted({word for word in found if word})

    def submissions(self, values: list[str]) -> list[dict[str, str]]:
        """Every form as it is, and with each value in all its fields, with every button that it has."""
        made = []
        for form in self.forms:
            made.append(form.fields)
            for pressed in [dict([button]) for button in form.buttons] or [{}]:
                made.append(form.fields | pressed)
                made += [dict.fromkeys(form.fields, value) | pressed for value in values]
        return made
