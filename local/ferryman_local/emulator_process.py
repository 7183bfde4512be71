"""The emulator's own process: `python -m ferryman_local.emulator_process`, started by `emulator.Emulator`.

It waits for the end of stdin: when its parent ends, in whatever way, the pipe closes and the emulator ends with
everything that it started. (The kernel's parent-death signal follows the starting *thread*.)
"""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from ferryman_local.engines.engine import make_engine
from ferryman_local.processes import OWNER_VARIABLE, end_all


def main() -> None:
    """Patch ministack and run it until stdin closes or a signal arrives."""
    from ministack import app

    from ferryman_local import patches
    from ferryman_local.patches import control
    from ferryman_local.patches.private_attributes import IncompatibleEmulatorError

    state = Path(os.environ["FERRYMAN_LOCAL_STATE"])
    port, owner = int(os.environ["GATEWAY_PORT"]), os.environ[OWNER_VARIABLE]
    engine = make_engine(port, state / "images", owner)
    switchboard = control.Control(owner=owner, lambda_endpoint=os.environ.get("FERRYMAN_LOCAL_LAMBDA_ENDPOINT") or None)
    try:
        patches.apply(
            switchboard,
            engine,
            state,
            token_timeout_scale=float(os.environ.get("FERRYMAN_LOCAL_TOKEN_TIMEOUT_SCALE", "1")),
        )
    except IncompatibleEmulatorError as error:
        sys.exit(str(error))
    app.app = control.serve(switchboard, app.app)

    ending = threading.Lock()

    def end(*_: Any) -> None:
        if not ending.acquire(blocking=False):
            return  # the pipe closes and a signal comes: one of them is enough
        engine.containers.close()
        end_all(owner, grace=0.5)
        with contextlib.suppress(Exception):  # the one who started this process removes what is left
            engine.end()
        os._exit(0)

    def watch_starter() -> None:
        while os.read(0, 4096):
            pass
        end()

    threading.Thread(target=watch_starter, daemon=True, name="ferryman-watch-starter").start()
    set_handler = signal.signal

    def keep_ours(number: int, handler: Any) -> Any:
        return None if number == signal.SIGTERM else set_handler(number, handler)

    set_handler(signal.SIGTERM, end)
    set_handler(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the starter, which stops us in order
    signal.signal = keep_ours  # type: ignore[assignment]  # ministack would leave its children running
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
