"""One local AWS per worker, and a platform of its own for every test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from flow import leaks
from flow.documents import document
from flow.place import Place, parsed
from flow.production import Production, promoted
from flow.stage import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/flow/" in str(item.path):
            item.add_marker(pytest.mark.flow)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[Stage]]:
    """`with standing(name, …) as stage` starts a local AWS; at its end, what holds whatever the tests did."""

    @contextmanager
    def start(name: str, **settings: Any) -> Iterator[Stage]:
        started = Stage(tmp_path_factory.mktemp(name), **settings)
        try:
            yield started.start()
            started.take_down_denials()
            # Whatever the tests of this worker did: all of it, with the permissions of template.yaml.
            assert not started.denied, f"the operator lacks a permission: {started.denied}"
            unjust = [line for line in started.unjust() if not any(it in line for it in started.expected_denials)]
            assert not unjust, "the operator lacks a permission:\n" + "\n".join(unjust[:10])
            assert not started.anonymous(), f"log lines without their deployment: {started.anonymous()[:5]}"
            assert started.records(), "the operator's log is empty"
            unexpected = [letter["Body"] for letter in started.dead_letters() if not started.expects(letter["Body"])]
            assert not unexpected, f"events ended in the dead-letter queue: {unexpected[:3]}"
            leaked = leaks.found(started)
            assert not leaked, "a secret can be seen:\n" + "\n".join(leaked[:10])
        finally:
            started.stop()

    return start


@pytest.fixture(scope="session")
def stage(standing: Callable[..., AbstractContextManager[Stage]]) -> Iterator[Stage]:
    """The shared local AWS."""
    with standing("flow") as started:
        yield started


@pytest.fixture(autouse=True)
def calm(stage: Stage) -> Iterator[None]:
    """No fault and no disturbance outlives its test."""
    yield
    stage.proxy.clear()
    stage.aws.clear_lambda_faults()
    stage.relay.calm()
    stage.aws.github.calm()
    stage.aws.slack.calm()
    stage.clear_scans()
    stage.take_down_denials()


@pytest.fixture
def place(stage: Stage, calm: None) -> Iterator[Callable[..., Place]]:
    """`place(components, …)` makes a platform; see `flow.documents.document`."""
    made: list[Place] = []

    def make(*arguments: Any, **settings: Any) -> Place:
        wanted = document(next(stage.names), *arguments, **settings)
        parsed(wanted)
        made.append(Place(stage, wanted))
        return made[-1].create()

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def production(stage: Stage, calm: None) -> Iterator[Callable[..., Production]]:
    """`production(components, …)` makes a platform with a production; see `flow.documents.promoting`."""
    made: list[Production] = []

    def make(*arguments: Any, **settings: Any) -> Production:
        made.append(promoted(stage, *arguments, **settings))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture(scope="module")
def promoting_pool(stage: Stage) -> Iterator[list[tuple[Any, Production]]]:
    """Platforms with a production that the tests of a module use one after the other."""
    made: list[tuple[Any, Production]] = []
    yield made
    for _, one in made:
        one.remove()


@pytest.fixture
def reused(stage: Stage, calm: None, promoting_pool: list[tuple[Any, Production]]) -> Callable[..., Production]:
    """Like `production`, but one that an earlier test left free is taken again."""

    def make(*arguments: Any, **settings: Any) -> Production:
        known = next((one for made, one in promoting_pool if made == (arguments, settings) and one.is_free()), None)
        if known is None:
            known = promoted(stage, *arguments, **settings)
            promoting_pool.append(((arguments, settings), known))
        return known

    return make


@pytest.fixture(scope="module")
def pool(stage: Stage) -> Iterator[list[tuple[Any, Place]]]:
    """Platforms that the tests of a module use one after the other."""
    made: list[tuple[Any, Place]] = []
    yield made
    for _, one in made:
        one.remove()


@pytest.fixture
def shared(stage: Stage, calm: None, pool: list[tuple[Any, Place]]) -> Callable[..., Place]:
    """Like `place`, but one that an earlier test left free is taken again: something else than `bootstrap` may run."""

    def make(*arguments: Any, **settings: Any) -> Place:
        known = next((one for made, one in pool if made == (arguments, settings) and one.is_free()), None)
        if known is not None:
            return known
        wanted = document(next(stage.names), *arguments, **settings)
        parsed(wanted)
        one = Place(stage, wanted).create()
        pool.append(((arguments, settings), one))
        return one

    return make
