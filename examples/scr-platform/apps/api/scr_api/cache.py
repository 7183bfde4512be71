"""Redis, where there is one. What is kept there can be lost at any time: nothing waits for it, nothing fails for it."""

import logging
from typing import TYPE_CHECKING

from scr_api.settings import ConfigurationError

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT_SECONDS = 0.5

log = logging.getLogger(__name__)


class Cache:
    """Texts under keys."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def get(self, key: str) -> str | None:
        """None when it isn't there, or Redis isn't."""
        from redis.exceptions import RedisError

        try:
            found = self._redis.get(key)
        except RedisError as error:
            log.warning("redis can't be read, so it is done without: %s", error)
            return None
        return found.decode() if isinstance(found, bytes) else None

    def put(self, key: str, text: str, seconds: int) -> None:
        """Keep it for so long, if Redis is there."""
        from redis.exceptions import RedisError

        try:
            self._redis.set(key, text, ex=seconds)
        except RedisError as error:
            log.warning("redis can't be written, so it is done without: %s", error)

    def ping(self) -> None:
        """Raises RedisError when it does not answer."""
        self._redis.ping()

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()


def connect(redis_url: str | None) -> Cache | None:
    """Nothing is opened yet. Raises ConfigurationError; the URL is not repeated there: it may hold a password."""
    if redis_url is None:
        return None
    try:
        # Here and not above: where no REDIS_URL is set, the package need not be installed.
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError:
        raise ConfigurationError("REDIS_URL is set, but the package redis is not installed") from None
    try:
        client = Redis.from_url(
            redis_url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            # Once more at once, for a connection that was closed while nobody used it.
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError:
        raise ConfigurationError("REDIS_URL is not a URL: expected redis://, rediss:// or unix://") from None
    return Cache(client)
