"""Known vulnerabilities of what one app installs: pip-audit over its requirements, exported with the locked versions.

python audit.py apps/api/requirements.txt
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def exported(requirements: Path) -> list[str]:
    """What the app needs, directly and not, as `name==version` of this environment, which the lock made."""
    pins: dict[str, str] = {}

    def add(requirement: Requirement, extra: str) -> None:
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            return
        name = canonicalize_name(requirement.name)
        known = name in pins
        found = distribution(name)
        pins[name] = found.version
        for wanted in requirement.extras or ([] if known else [""]):
            for text in found.requires or []:
                add(Requirement(text), wanted)

    for requirement in read(requirements):
        add(requirement, "")
    return [f"{name}=={version}" for name, version in sorted(pins.items())]


def read(requirements: Path) -> Iterator[Requirement]:
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if entry := re.sub(r"(^|\s)#.*", "", line).strip():
            yield Requirement(entry)


def main(requirements: Path) -> int:
    pins = exported(requirements)
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        pinned, report = Path(folder) / "requirements.txt", Path(folder) / "report.json"
        pinned.write_text("\n".join(pins) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(pinned), "--no-deps", "--disable-pip"]
        command += ["--progress-spinner", "off", "--format", "json", "--output", str(report)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        text = report.read_text(encoding="utf-8") if report.exists() else ""
    dependencies = json.loads(text)["dependencies"] if text else []
    if all("skip_reason" in dependency for dependency in dependencies):
        reason = dependencies[0]["skip_reason"] if dependencies else (done.stderr.strip() or "no reason given")
        print(f"audit: {requirements}: NOT AUDITED, the advisories can't be read from here: {reason[-200:]}")
        # Where there is a network, not having looked is no success.
        return 1 if os.environ.get("GITHUB_ACTIONS") else 0
    return judge(requirements, dependencies)


def judge(requirements: Path, dependencies: list[dict[str, Any]]) -> int:
    found = 0
    for dependency in dependencies:
        if reason := dependency.get("skip_reason"):
            print(f"audit: {dependency['name']} was not audited: {reason}", file=sys.stderr)
            found += 1
        for advisory in dependency.get("vulns", []):
            name = f"{dependency['name']} {dependency['version']}"
            fixed = ", ".join(advisory["fix_versions"]) or "nothing yet"
            print(f"audit: {name}: {advisory['id']}, fixed in {fixed}", file=sys.stderr)
            found += 1
    print(f"audit: {requirements}: {len(dependencies)} packages, {found or 'no'} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
