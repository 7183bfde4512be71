"""Signals that reliably end a process in an orderly way. Used by the demo and by the supervisor.

An exception of a signal handler is lost if it is raised inside a finalizer: Python prints "Exception ignored in" and
continues. boto3 clients and HTTP pools have many finalizers. So the exception is raised again until it has an effect.
"""

import os
import signal
import threading
import time
from types import FrameType

AGAIN_SECONDS = 3.0
"""Longer than an orderly exit takes until it calls `obeyed`; a second exception would interrupt it."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Makes SIGINT raise KeyboardInterrupt and SIGTERM and SIGHUP SystemExit in the main thread."""

    def __init__(self) -> None:
        # Plain attributes: a handler that takes a lock may find it held by the very code it has interrupted.
        self._number: int | None = None
        self._obeyed = False
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        threading.Thread(target=self._insist, name="interruption", daemon=True).start()

    def obeyed(self) -> None:
        """Ignore signals from now on; call it where the process starts to clean up."""
        self._obeyed = True
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._number = self._number or number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _insist(self) -> None:
        while self._number is None:
            time.sleep(0.2)
        while not self._obeyed:
            time.sleep(AGAIN_SECONDS)
            if not self._obeyed:
                os.kill(os.getpid(), self._number)
