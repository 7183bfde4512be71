"""Build the web app for production, search the output for addresses, start it, and check the page."""

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from check_addresses import MARKER, POISON, Search
from page_facts import NO_API_VERSION, SITUATIONS, UNREACHABLE, StubApi, problems, stub_api
from pnpm import WEB, script
from release import PLATFORM, ReleaseError, main
from web_server import COMMAND, START_LIMIT_SECONDS, Server, settings, started

# What the Dockerfile's last stage copies from here.
BESIDE = ("page.css", "settings.mjs", "site.json", "start.mjs")
ANOTHER_SITE = '{"title": "Another site", "tagline": "t", "projects_shown": 10}'
# Next.js's own last resort, which has nothing of the site.
GLOBAL_ERROR = "/_global-error"
# Well below the cap in start.mjs, which would hide a stop that waits for somebody.
STOP_LIMIT_SECONDS = 2.5
WRONG_SETTING = 3


def lay_out(folder: Path) -> None:
    """The files of the image, as its Dockerfile puts them together."""
    shutil.copytree(WEB / ".next/standalone", folder, symlinks=True, dirs_exist_ok=True)
    shutil.copytree(WEB / ".next/static", folder / ".next/static")
    for name in BESIDE:
        shutil.copyfile(WEB / name, folder / name)


def expect(good: bool, what: str) -> None:
    if not good:
        raise ReleaseError(what)


def check_page(server: Server, name: str, shows: tuple[str, ...], hides: tuple[str, ...]) -> None:
    status, headers, text = server.get()
    expect(status == 200, f"GET / returns {status}, api {name}")
    found = problems(shows, hides, headers, text)
    expect(not found, f"the page is wrong, api {name}: {'; '.join(found)}")


def check_pages(server: Server, api: StubApi) -> None:
    for situation in SITUATIONS:
        api.situation = situation
        check_page(server, situation.name, situation.shows, situation.hides)
    api.situation = SITUATIONS[0]


# No script can be ended by a value, so `<` is escaped.
PUBLIC = {"PUBLIC_API_URL": "https://api.browser.test", "CLERK_PUBLISHABLE_KEY": "pk_test_</script>"}
TOLD = '{"apiUrl":"https://api.browser.test","clerkPublishableKey":"pk_test_\\u003c/script>"}</script>'


def check_browser_settings(server: Server, api: StubApi) -> None:
    _, _, text = server.get()
    expect(TOLD in text, "the page does not pass PUBLIC_API_URL and CLERK_PUBLISHABLE_KEY to the browser")
    status, _, body = server.get("/api/projects?limit=3")
    expect(status == 200 and "Wind" in body, f"GET /api/projects returns {status} {body}")
    status, _, body = server.get("/api/projects", '{"name": "Tide"}')
    expect(status == 201 and api.created == [{"name": "Tide"}], f"POST /api/projects returns {status} {body}")


def check_stop(server: Server, api: StubApi) -> float:
    """SIGTERM: what is asked for is answered, nobody else gets in, exit status 0; how long it took."""
    api.hold()
    answers: list[int] = []
    client = threading.Thread(target=lambda: answers.append(server.get()[0]))
    client.start()
    expect(api.asked.wait(5), "the page did not send a request to the API within 5 s")
    with socket.create_connection(("127.0.0.1", server.port)):  # a client that keeps its connection open for nothing
        server.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        server.until(lambda: not server.listens(), "refuses new requests")
        api.go_on.set()
        client.join(10)
        try:
            status = server.process.wait(10)
        except subprocess.TimeoutExpired:
            raise ReleaseError("the server does not exit after SIGTERM") from None
        took = time.monotonic() - begun
    expect(answers == [200], f"a request from before SIGTERM was not completed: {answers}")
    expect((status, took <= STOP_LIMIT_SECONDS) == (0, True), f"SIGTERM: exit status {status} after {took:.1f} s")
    return took


def check_refusals(folder: Path) -> None:
    """A wrong setting: one line that names it, and exit status 3."""
    crash = (PLATFORM / "faults/web-crash/site.json").read_text(encoding="utf-8")
    for wanted, values, site in (
        ("PORT is 'http': expected a number", {"PORT": "http"}, None),
        ("API_URL is 'api:8000': expected http://host", {"API_URL": "api:8000"}, None),
        ("PUBLIC_API_URL is 'ftp://a': expected http://host", {"PUBLIC_API_URL": "ftp://a"}, None),
        ("site.json: required setting 'title' is missing", {}, crash),
        ("site.json: 'projects_shown' is \"ten\": expected a whole number", {}, ANOTHER_SITE.replace("10", '"ten"')),
        ("site.json is not JSON", {}, "title ="),
        ("site.json is missing", {}, ""),
    ):
        with replaced(folder / "site.json", site):
            done = subprocess.run(
                COMMAND,
                cwd=folder,
                env=settings(**values),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=START_LIMIT_SECONDS,
                check=False,
            )
        lines = done.stdout.splitlines()
        good = done.returncode == WRONG_SETTING and len(lines) == 1 and f"configuration error: {wanted}" in lines[0]
        expect(good, f"expected the error: {wanted}; the server exited with {done.returncode}: {done.stdout}")


@contextmanager
def replaced(file: Path, text: str | None) -> Iterator[None]:
    """Another content (None: its own, empty: no file) for as long as the block runs."""
    before = file.read_bytes()
    if text == "":
        file.unlink()
    elif text is not None:
        file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_bytes(before)


def build() -> None:
    script("build", env=POISON)
    with tempfile.TemporaryDirectory(prefix="build-web-") as name:
        folder = Path(name)
        lay_out(folder)
        search = Search()
        found = list(search.folder(folder))
        expect(not found, "the build output contains data of an environment: " + "; ".join(found))
        manifest = json.loads((folder / ".next/prerender-manifest.json").read_text(encoding="utf-8"))
        rendered = manifest["routes"].keys() - {GLOBAL_ERROR}
        expect(
            not rendered, f"these pages were rendered by the build, which has no settings and no site.json: {rendered}"
        )
        with stub_api() as api, started(folder, API_URL=api.url, **PUBLIC) as server:
            check_pages(server, api)
            check_browser_settings(server, api)
            took = check_stop(server, api)
        # Nobody listens there any more.
        with started(folder, API_URL=api.url) as server:
            check_page(server, "not there", UNREACHABLE, NO_API_VERSION)
        with replaced(folder / "site.json", ANOTHER_SITE), started(folder, API_URL=api.url) as server:
            expect("<h1>Another site</h1>" in server.get()[2], "the page does not show the title of another site.json")
        check_refusals(folder)
    print(
        f"build_web: {search.files} files contain neither {MARKER} nor an address; the page is correct in"
        f" {len(SITUATIONS) + 1} situations; after SIGTERM, it completed its last request and exited in {took:.2f} s"
    )


if __name__ == "__main__":
    main(build)
