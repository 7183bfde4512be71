"""`python -m ferryman_local.demo [--keep]`: Ctrl-C ends it in order, also while it is still being imported."""

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
