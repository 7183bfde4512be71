"""The size of an item, by the rules of DynamoDB's documentation."""

from decimal import Decimal
from typing import Any

import pytest

from ferryman.store import items, sizes

# The item that `ddbitemsizer` (GitHub, mikaelvesavuori) gives as its example, and its size.
SLOT = {
    "itemType": {"S": "SLOT"},
    "id": {"S": "abc1231"},
    "hostName": {"S": "Harry Mason"},
    "timeSlot": {"S": "February 23, 1999"},
    "slotStatus": {"S": "OPEN"},
    "createdAt": {"S": "February 1, 1999"},
    "updatedAt": {"S": "February 1, 1999"},
    "expiresAt": {"N": "2099"},
}


def test_an_item_is_the_names_and_values_of_its_attributes() -> None:
    assert sizes.of_item(SLOT) == 141


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("", 0),
        ("text", 4),
        ("é", 2),
        ("漢字", 6),
        ("😀", 4),
        (None, 1),
        (True, 1),
        (False, 1),
        ([], 3),
        ({}, 3),
        (["ab", "c"], 3 + (1 + 2) + (1 + 1)),
        ({"ab": "c", "é": None}, 3 + (1 + 2 + 1) + (1 + 2 + 1)),
        ([{"a": []}], 3 + 1 + (3 + (1 + 1 + 3))),
        (0, 1),
        (7, 2),
        (12, 2),
        (-12, 3),
        (2099, 3),
        (1_900_000_000, 2),
        (Decimal("1.25"), 3),
        (Decimal("12345678901234567890123456789012345678"), 20),
    ],
)
def test_a_value(value: Any, size: int) -> None:
    assert sizes.of_value(items.attributes({"a": value})["a"]) == size
