"""The relay as a process beside the emulator. It ends with the process that started it."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

import boto3

from ferryman_local.relay import Relay

_LOOK_AT_PARENT = 0.25  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM, SIGINT or the end of the parent. Prints one line after the first poll."""
    parser = argparse.ArgumentParser(prog="ferryman_local.relay", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the emulator, as http://127.0.0.1:PORT")
    parser.add_argument("--region", required=True)
    parser.add_argument("--poll", type=float, default=0.15, help="polling interval in seconds")
    parser.add_argument("--no-baseline", action="store_true", help="send events for what already exists")
    parser.add_argument("--verbose", action="store_true", help="log every step")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="relay: %(message)s")

    parent = os.getppid()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    session = boto3.Session(
        # The emulator's root when the caller brings no credentials.
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        aws_session_token=os.environ.get("AWS_SESSION_TOKEN"),
        region_name=options.region,
    )
    relay = Relay(session, options.poll, endpoint=options.endpoint, baseline=not options.no_baseline)
    with relay:
        print("relay ready", flush=True)
        # Not PR_SET_PDEATHSIG: it is Linux only, and comes when the *thread* that started this process ends.
        while not stop.wait(_LOOK_AT_PARENT) and os.getppid() == parent:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
