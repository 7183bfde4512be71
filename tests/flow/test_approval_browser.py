"""The approval page in a real browser, at the size of a phone: from the link in the mail to a verified production.

Screenshots are left in the folder that ARTEFACTS names (`.cache/artefacts` unless set).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

import needed
from ferryman.records import Phase
from ferryman_local.local_aws import CHECKOUT
from flow.production import Make

playwright = pytest.importorskip("playwright.sync_api")

FIRST_BYTE_SECONDS = 0.3
PAGE_BYTES = 60_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium, without a screen."""
    program = needed.chromium()
    with playwright.sync_playwright() as started:
        # As root (a CI container) Chromium has no sandbox; only our own page is opened.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = started.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    """A phone whose owner has JavaScript switched off: the page must not need it."""
    context = browser.new_context(
        viewport=PHONE,
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        java_script_enabled=False,
        color_scheme="light",
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.requests = []
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    context.close()


def artefact(page: Any, name: str) -> None:
    """Leave a screenshot of the whole page."""
    folder = Path(os.environ.get("ARTEFACTS") or CHECKOUT / ".cache" / "artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)


def fits(page: Any) -> None:
    """Nothing is wider than the phone, and nothing to touch is smaller than a finger wants (WCAG 2.2: 24 px)."""
    wide = page.locator("body").bounding_box()
    assert wide["width"] <= PHONE["width"], wide
    for place in page.locator("input, textarea, button").all():
        box = place.bounding_box()
        assert box is None or box["height"] >= 24, (place.evaluate("e => e.outerHTML"), box)


def test_from_the_mail_to_a_verified_production(production: Make, phone: Any) -> None:
    prod = production(("api", "web"), notify=["team"])
    first = prod.running_release()
    gate = prod.gate()
    gate.touch()
    version = prod.verified(GATE=str(gate))
    gate.unlink()
    prod.name_it(version)
    deployment = prod.asked(version)
    link = prod.link(deployment)

    answer = phone.goto(link)
    assert answer.status == 200
    phone.get_by_role("heading", level=1).wait_for()
    # The version stands in groups, which a person compares more easily.
    text = "".join(phone.locator("body").inner_text().split())
    for shown in (version, first, "api", "web", deployment.tag):
        assert shown in text, text
    artefact(phone, "approval-1-asks")
    fits(phone)

    # A slip: another version. Nothing is decided, and the page says what is wrong.
    phone.get_by_label("Type this version").fill("0000000")
    phone.get_by_role("button", name="Approve").tap()
    phone.get_by_role("alert").wait_for()
    artefact(phone, "approval-2-slip")
    assert prod.approval(deployment).status == "Pending"

    phone.get_by_label("Type this version").fill(version[:7])
    phone.get_by_role("button", name="Approve").tap()
    phone.get_by_role("heading", name="Progress").wait_for()
    assert phone.get_by_role("button", name="Approve").count() == 0
    prod.step(version, f"rollout/{prod.service_of('api')}")
    phone.goto(link)
    assert "roll" in phone.locator("body").inner_text().lower()
    artefact(phone, "approval-3-progress")
    fits(phone)

    gate.touch()
    assert prod.ended(version).phase is Phase.SUCCEEDED, prod.tell()
    phone.goto(link)
    assert Phase.SUCCEEDED in phone.locator("body").inner_text() or "runs" in phone.locator("body").inner_text()
    artefact(phone, "approval-4-verified")
    prod.runs(version)
    assert {urlsplit(url).netloc for url in phone.requests} == {urlsplit(link).netloc}, "asked somebody else"


def test_the_page_is_quick_and_small_and_asks_nobody_else(production: Make, browser: Any) -> None:
    prod = production(("api", "web"))
    deployment = prod.asked()
    link = prod.link(deployment)
    context = browser.new_context(viewport=PHONE, is_mobile=True)
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("requestfinished", lambda r: sizes.__setitem__(r.url, sum(r.sizes().values())))
    page.goto(link, wait_until="networkidle")
    assert sum(sizes.values()) < PAGE_BYTES, sizes
    assert {urlsplit(url).netloc for url in sizes} == {urlsplit(link).netloc}
    context.close()
    taken = []
    with httpx.Client(trust_env=False) as client:
        for _ in range(8):
            began = time.perf_counter()
            with client.stream("GET", link) as answer:
                next(answer.iter_raw())
                taken.append(time.perf_counter() - began)
            assert answer.status_code == 200
    warm = min(taken[2:])  # the best: other tests load this machine meanwhile, and a slow page is never quick
    print(f"first byte, warm: {warm * 1000:.0f} ms; in all {sum(sizes.values())} bytes")
    assert warm < FIRST_BYTE_SECONDS, taken


def test_a_mail_reads_well_and_leads_to_the_page(production: Make, phone: Any, tmp_path: Path) -> None:
    prod = production()
    deployment = prod.asked()
    link = prod.link(deployment)
    (mail,) = [m for m in prod.stage.inbox.mails(f"ada@{prod.name}.example") if deployment.id in m["BodyText"]]
    file = tmp_path / "mail.html"
    # As mail programs of phones show it: their own frame, with the phone's width.
    file.write_text('<meta name="viewport" content="width=device-width">' + mail["BodyHtml"])
    phone.goto(file.as_uri())
    artefact(phone, "approval-0-mail")
    fits(phone)
    assert phone.requests == [file.as_uri()], "a mail loads nothing"
    anchors = [anchor.get_attribute("href") for anchor in phone.locator("a").all()]
    assert link in anchors
    phone.locator(f'a[href="{link}"]').first.tap()
    phone.get_by_role("button", name="Approve").wait_for()
