"""Models are built at their first use, by one thread at a time."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from ferryman import lazy_model
from ferryman.lazy_model import LazyModel


@pytest.fixture(autouse=True)
def _switching() -> Iterator[None]:
    """Let threads take turns after every few instructions, so that they meet."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def fresh() -> tuple[type[LazyModel], type[LazyModel]]:
    """Return two new models, the second with the first one in it, that nobody has used."""

    class Base(LazyModel):
        model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    class Inner(Base):
        first_name: str = Field(min_length=1)

    class Outer(Base):
        inner_ones: list[Inner] = []
        by_name: dict[str, Inner] = {}

    return Inner, Outer


def test_nothing_is_built_before_its_first_use() -> None:
    inner, outer = fresh()
    assert not inner.__pydantic_complete__
    assert not outer.__pydantic_complete__
    outer.model_validate({})
    assert inner.__pydantic_complete__
    assert outer.__pydantic_complete__


def test_a_model_with_itself_as_a_part_is_built() -> None:
    class Tree(LazyModel):
        children: list["Tree"] = []

    assert Tree.model_validate({"children": [{}]}).children == [Tree()]


def test_a_part_is_written_where_anything_may_stand() -> None:
    class Anything(LazyModel):
        value: Any

    _, outer = fresh()
    part = outer.model_validate({"innerOnes": [{"firstName": "a"}]}).inner_ones[0]  # type: ignore[attr-defined]
    assert Anything(value=part).model_dump(mode="json", by_alias=True) == {"value": {"firstName": "a"}}


def test_threads_that_use_a_model_for_the_first_time_together_all_get_an_answer() -> None:
    uses: list[Callable[[type[LazyModel], type[LazyModel]], Any]] = [
        lambda inner, outer: outer.model_validate({"innerOnes": [{"firstName": "a"}]}),
        lambda inner, outer: outer.model_validate({"byName": {"x": {"firstName": "a"}}}).model_dump(),
        lambda inner, outer: inner(first_name="a").model_dump_json(by_alias=True),
        lambda inner, outer: outer(inner_ones=[inner(first_name="b")]),
    ]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(40):
            inner, outer = fresh()
            together = threading.Barrier(8)

            def use(number: int, inner: Any = inner, outer: Any = outer, together: Any = together) -> Any:
                together.wait(10)
                return uses[number % len(uses)](inner, outer)

            for found in [pool.submit(use, number) for number in range(8)]:
                found.result(20)  # raises what the thread raised


def test_a_second_thread_waits_until_a_model_is_built() -> None:
    inner, _ = fresh()
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with lazy_model.BUILDING:
            waiting = pool.submit(lambda: (inner(first_name="a"), done.set()))
            assert not done.wait(0.05)
            assert not inner.__pydantic_complete__
        waiting.result(20)
    assert inner.__pydantic_complete__


def test_a_field_that_names_a_class_of_the_caller_is_found() -> None:
    class Late(LazyModel):
        other: "Other"

    class Other(LazyModel):
        name: str

    Late.model_rebuild()  # its namespace is this function's
    assert Late.model_validate({"other": {"name": "a"}}).other.name == "a"
