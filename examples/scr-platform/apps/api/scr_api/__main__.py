"""`python -m scr_api`: serve until SIGTERM. Migrations are never run here: they are a task of their own."""

import logging
import os
import signal
import sys

import uvicorn

from scr_api.app import create_app
from scr_api.settings import ConfigurationError, Settings

log = logging.getLogger("scr_api")


def stop(*_: object) -> None:
    """End with 0: a stop that was asked for is no failure. uvicorn calls this, too, after its clean shutdown.

    At once: a request that still waits for a database that hangs would hold up sys.exit() until it is killed.
    """
    logging.shutdown()
    os._exit(0)


def main() -> int:
    """The process's exit code: 3 when the configuration is wrong."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, stop)
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
        proxy_headers=True,
        timeout_graceful_shutdown=1,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
