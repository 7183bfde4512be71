"""Who keeps what completions cost: one set of counters for each day and model."""

from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Literal, Protocol

from scr_ai_gateway.settings import ConfigurationError

if TYPE_CHECKING:
    from redis import Redis

KEPT_DAYS = 400
TIMEOUT_SECONDS = 0.5


class LedgerError(Exception):
    """It can't be read or written now; the message is one line."""


@dataclass(frozen=True)
class Counts:
    """What was used, and what it cost in micro-USD."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    micro_usd: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.micro_usd + other.micro_usd,
        )


KeptIn = Literal["memory", "redis"]
Rows = dict[tuple[date, str], Counts]
"""(day, model) → what was counted."""


class Ledger(Protocol):
    @property
    def kept_in(self) -> KeptIn:
        """Whether it outlives the process and is shared with others."""
        ...

    def add(self, day: date, model: str, counts: Counts) -> None:
        """Raises LedgerError."""
        ...

    def rows(self, first: date, last: date) -> Rows:
        """Of these days, both included. Raises LedgerError."""
        ...


class MemoryLedger:
    """This process's own, gone with it."""

    kept_in: Literal["memory"] = "memory"

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: Rows = {}

    def add(self, day: date, model: str, counts: Counts) -> None:
        """Cannot fail."""
        with self._lock:
            self._rows[day, model] = self._rows.get((day, model), Counts()) + counts

    def rows(self, first: date, last: date) -> Rows:
        """Cannot fail."""
        with self._lock:
            return {(day, model): counts for (day, model), counts in self._rows.items() if first <= day <= last}


class RedisLedger:
    """Shared by all tasks, and there after a deployment: a hash for each day, counted up by Redis itself."""

    kept_in: Literal["redis"] = "redis"

    def __init__(self, redis: "Redis", prefix: str = "scr:ai-costs") -> None:
        self._redis = redis
        self._prefix = prefix

    @staticmethod
    def client(redis_url: str) -> "Redis":
        """Raises ConfigurationError; the URL is not repeated there: it may hold a password."""
        try:
            # Here and not above: where no REDIS_URL is set, the package need not be installed.
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError:
            raise ConfigurationError("REDIS_URL is set, but the package redis is not installed") from None
        try:
            return Redis.from_url(
                redis_url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                # Never again by itself: what timed out may have been counted, and must not be counted twice.
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            raise ConfigurationError("REDIS_URL is not a URL: expected redis://, rediss:// or unix://") from None

    def add(self, day: date, model: str, counts: Counts) -> None:
        """All counters of a completion, or none. Raises LedgerError."""
        from redis.exceptions import RedisError

        key = self._key(day)
        try:
            with self._redis.pipeline(transaction=True) as together:
                for name, value in vars(counts).items():
                    together.hincrby(key, f"{name}:{model}", value)
                together.expire(key, timedelta(days=KEPT_DAYS + 1))
                together.execute()
        except RedisError as error:
            raise LedgerError(f"redis: {error}") from None

    def rows(self, first: date, last: date) -> Rows:
        """Raises LedgerError."""
        from redis.exceptions import RedisError

        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        try:
            with self._redis.pipeline(transaction=False) as together:
                for day in days:
                    together.hgetall(self._key(day))
                hashes: list[dict[bytes, bytes]] = together.execute()
        except RedisError as error:
            raise LedgerError(f"redis: {error}") from None
        return {
            (day, model): counts
            for day, found in zip(days, hashes, strict=True)
            for model, counts in _by_model(found).items()
        }

    def _key(self, day: date) -> str:
        return f"{self._prefix}:{day.isoformat()}"


def _by_model(found: dict[bytes, bytes]) -> dict[str, Counts]:
    """The fields `counter:model`; a counter of another version of this code is passed over."""
    known = Counts.__dataclass_fields__
    models: dict[str, dict[str, int]] = {}
    for field, value in found.items():
        name, _, model = field.decode().partition(":")
        if name in known:
            models.setdefault(model, {})[name] = int(value)
    return {model: Counts(**values) for model, values in models.items()}


def connect(redis_url: str | None) -> Ledger:
    """Nothing is opened yet. Raises ConfigurationError."""
    return MemoryLedger() if redis_url is None else RedisLedger(RedisLedger.client(redis_url))
