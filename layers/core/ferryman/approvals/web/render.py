"""Render pages as HTML: no scripts, no external resources, and safe for any text in the records.

Templates and the style sheet are beside this module; they are read for the first page of a sandbox.
"""

import base64
import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from ferryman.approvals.web.http import answer
from ferryman.approvals.web.page_model import Facts
from ferryman.approvals.web.progress import Progress

if TYPE_CHECKING:
    from ferryman.approvals.web.proposal_page import ProposalFacts

_TEMPLATES = Path(__file__).parent / "templates"
REFRESH_SECONDS = 5


@dataclass(frozen=True)
class Form:
    """The values of a form that had problems, to be shown again; never the version that was typed."""

    problems: dict[str, str] = field(default_factory=dict)
    """Field → what is wrong with it."""
    reason: str = ""
    name: str = ""


@dataclass(frozen=True)
class Question:
    """The form on a page."""

    version: str
    """What has to be typed. It is shown letter by letter, so that a program cannot pick it up as a word."""
    person: str | None
    """Who decides; None on the shared page, where a name has to be typed."""
    may_approve: bool = True
    why_not: str = ""
    paused: str = ""
    """Until when nothing may be typed, because too many wrong versions were."""
    fresh_link: str = ""
    """Where a fresh link can be requested; empty on the shared page."""


def decision(
    facts: Facts,
    question: Question | None,
    *,
    form: Form | None = None,
    progress: Progress | None = None,
    status: int = 200,
    refresh: bool = False,
    said: str = "",
    ask: bool = False,
) -> dict[str, Any]:
    """The page of a link: the facts with the form, or with the progress once it is decided.

    `refresh`: reload every few seconds, by a header; a link on the page stops it, which accessibility requires.
    `ask`: show the form that sends a personal link.
    """
    return _answer(
        status,
        "decision.html",
        facts.version[:7],
        headers={"refresh": str(REFRESH_SECONDS)} if refresh else None,
        facts=facts,
        question=question,
        form=form or Form(),
        progress=progress,
        refresh=refresh,
        said=said,
        ask=ask,
    )


def proposal(
    facts: "ProposalFacts", question: Question | None, *, form: Form | None, status: int, said: str, ask: bool
) -> dict[str, Any]:
    """The page of a link about a proposed document: what it changes, with the form while a decision is open."""
    return _answer(
        status, "proposal.html", facts.short, facts=facts, question=question, form=form or Form(), said=said, ask=ask
    )  # fmt: skip


@dataclass(frozen=True)
class SharedView:
    """What anyone with a shared link may see."""

    platform: str
    environment: str
    status: str
    sentence: str
    pending: bool


def shared(view: SharedView, *, form: Form | None = None, said: str = "", status: int = 200) -> dict[str, Any]:
    """The page of a shared link: minimal facts, and the form that sends a personal link."""
    return _answer(status, "shared.html", "", view=view, question=None, form=form or Form(), said=said)


def notice(
    status: int, title: str, text: list[str], *, link: tuple[str, str] | None = None, place: str = ""
) -> dict[str, Any]:
    """A page with a message only; `link` is an address and its text, `place` the platform and environment."""
    return _answer(status, "told.html", "", title=title, text=text, link=link, place=place)


def _answer(
    status: int, template: str, guarded: str, headers: dict[str, str] | None = None, **values: Any
) -> dict[str, Any]:
    style = _style()
    body = _environment().get_template(template).render(guarded=guarded, style=style.text, **values)
    return answer(status, body, style=style.hash, headers=headers)


@dataclass(frozen=True)
class _Style:
    text: Markup
    hash: str


@functools.cache
def _style() -> _Style:
    text = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return _Style(Markup(text), f"sha256-{digest}")  # noqa: S704 - our own file


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_apart,
    )
    environment.filters["prose"] = _prose
    environment.filters["tiles"] = _tiles
    environment.filters["url"] = _url
    return environment


@pass_context
def _apart(context: Context, value: Any) -> Any:
    """Break up the version to be typed wherever it occurs in a text, so that a scanner cannot find it as a word."""
    guarded = context.get("guarded")
    if not guarded or isinstance(value, Markup) or not isinstance(value, str) or guarded not in value:
        return value
    return _broken(guarded).join(escape(part) for part in value.split(guarded))


@pass_context
def _prose(context: Context, text: str) -> Markup:
    """Return a sentence with its `commands` formatted as code."""
    parts = [escape(_apart(context, part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(_apart(context, text))
    marked = [Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)]
    return Markup("").join(marked)


def _broken(text: str) -> Markup:
    """Return a word in two adjacent boxes; the space between them is not shown."""
    middle = len(text) // 2
    return Markup('<span class="w"><i>{}</i> <i>{}</i></span>').format(text[:middle], text[middle:])


def _tiles(text: str) -> Markup:
    """Return a word letter by letter, each in a box of its own."""
    return Markup("\n").join(Markup("<li>{}</li>").format(letter) for letter in text)


def _url(text: str) -> Markup:
    """Return an address for an attribute: escaped, but not broken up by `_apart`."""
    return escape(text)
