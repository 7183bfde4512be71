"""`python -m ferryman_local.demo [--keep] [--engine docker]`: Ctrl-C ends it in order, while it is imported too."""

import sys

INTERRUPTED = 130


def run() -> int:
    """Exit status."""
    try:
        from ferryman_local.demo.play import main

        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
