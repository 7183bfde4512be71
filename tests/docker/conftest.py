"""What the tests of the Docker engine share: they need Docker, and tell their figures at the end of the run."""

from collections.abc import Callable

import pytest

import needed

FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/docker/" in str(item.path):
            item.add_marker(pytest.mark.docker)


@pytest.fixture(scope="session", autouse=True)
def docker_answers() -> None:
    """Skip where no engine answers; in CI that is a failure."""
    needed.require("docker")


@pytest.fixture(scope="session")
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`figure("12 requests, 0 failed")` is printed at the end, whatever options pytest was given."""
    return request.config.stash[FIGURES].append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if figures := config.stash[FIGURES]:
        terminalreporter.section("figures of the Docker engine")
        for line in figures:
            terminalreporter.write_line(line)
