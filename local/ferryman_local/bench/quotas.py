"""Makespans of releases over many services within AWS's quotas: the simulation computes them, in a process of its own.

It needs no local AWS, and its time is virtual: the same seed gives the same figures on every machine.
"""

import json
import os
import subprocess
import sys
from typing import Any

from ferryman_local.local_aws import CHECKOUT


def makespans(seed: str = "1") -> dict[str, Any]:
    """Return the figures of each release by its name; lines of progress go to stderr.

    Raises subprocess.CalledProcessError if the simulation fails.
    """
    path = os.pathsep.join([str(CHECKOUT / "tests"), str(CHECKOUT / "layers/core"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "simulation.quotas", "--json", "--seed", seed],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
