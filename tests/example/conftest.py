"""The apps' packages on the path, and images laid out as folders."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .images import PLATFORM, Image, build

for folder in ("apps/api", "apps/web", "services/ai-gateway"):
    sys.path.insert(0, str(PLATFORM / folder))
# What CI's scripts and these tests share.
sys.path.append(str(PLATFORM / "ci"))


@pytest.fixture
def build_image(tmp_path: Path) -> Callable[..., Image]:
    def build_here(component: str, version: str = "3f9c2ab", fault: str | None = None) -> Image:
        return build(component, version, fault, tmp_path / f"{component}-{fault or 'good'}")

    return build_here


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'scr.db'}"


@pytest.fixture
def container_env() -> dict[str, str]:
    """What a container gets from its host: nothing that the test run happens to have set."""
    return {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
