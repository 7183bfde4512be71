"""The Dockerfiles of the example, and where Terraform says how their images run."""

import re

from .images import FOLDERS, PLATFORM

TERRAFORM = PLATFORM.parents[1] / "terraform" / "environment" / "services.tf"


def instructions(component: str) -> list[str]:
    """Without comments, each on one line."""
    text = (PLATFORM / FOLDERS[component] / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [line for line in joined.splitlines() if line]
