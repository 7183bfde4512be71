"""`python -m scr_ai_gateway`: serve until SIGTERM."""

import logging
import os
import signal
import sys

import uvicorn

from scr_ai_gateway.app import create_app
from scr_ai_gateway.settings import ConfigurationError, Settings

log = logging.getLogger("scr_ai_gateway")


def main() -> int:
    """The process's exit code: 3 when the configuration is wrong."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # uvicorn raises the signal again after its clean shutdown: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = Settings.from_env(os.environ)
        app = create_app(settings)
    except ConfigurationError as error:
        log.error("configuration error: %s", error)
        return 3
    log.info("version %s, starting on http://%s:%d", settings.version, settings.bind_address, settings.port)
    uvicorn.run(
        app,
        host=settings.bind_address,
        port=settings.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        ws="none",
        # Nobody's X-Forwarded-For is believed: it is reached from inside only, past the load balancer.
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
