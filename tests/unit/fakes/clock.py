"""A clock and ids that only tests move."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)

    def sleep(self, seconds: float) -> None:
        """Sleep without taking any time but this clock's."""
        self.forward(seconds=seconds)


class FakeIds:
    """Ids that count up and sort like ULIDs."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"01K0000000000000000000{self.count:04d}"
