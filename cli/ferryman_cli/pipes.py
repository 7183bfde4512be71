"""A closed pipe is no error: `ferryman history staging | head -1`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def closed_is_fine() -> Iterator[None]:
    """Stop silently when nobody reads the output any more; what is left of it goes nowhere."""
    try:
        yield
    except BrokenPipeError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
