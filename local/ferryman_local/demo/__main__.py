"""`python -m ferryman_local.demo [--keep] [--engine docker]`: Ctrl-C ends it in order, while it is imported too."""

import sys

from ferryman_local.interruption import Interruption

INTERRUPTED = 130


def run() -> int:
    """Exit status."""
    interruption = Interruption()  # first of all: a signal that is lost in an import comes again
    try:
        from ferryman_local.demo.play import main

        return main(interruption)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        interruption.obeyed()


if __name__ == "__main__":
    sys.exit(run())
