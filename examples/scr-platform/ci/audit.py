"""Check the locked requirements of an app for known vulnerabilities, with pip-audit.

python audit.py apps/api/requirements.txt
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from release import on_github


def main(requirements: Path) -> int:
    if "--hash=" not in requirements.read_text(encoding="utf-8"):
        print(
            f"audit: {requirements} is not locked, so the installed versions are unknown; run make lock",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--disable-pip"]
        command += ["--require-hashes", "--progress-spinner", "off", "--format", "json", "--output", str(report)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        text = report.read_text(encoding="utf-8") if report.exists() else ""
    dependencies = json.loads(text)["dependencies"] if text else []
    if all("skip_reason" in dependency for dependency in dependencies):
        reason = dependencies[0]["skip_reason"] if dependencies else (done.stderr.strip() or "no reason given")
        print(f"audit: {requirements}: NOT AUDITED, because the advisories cannot be read: {reason[-200:]}")
        # On GitHub there is a network, so a missing audit is a failure.
        return 1 if on_github() else 0
    return judge(requirements, dependencies)


def judge(requirements: Path, dependencies: list[dict[str, Any]]) -> int:
    found = 0
    for dependency in dependencies:
        if reason := dependency.get("skip_reason"):
            print(f"audit: {dependency['name']} was not audited: {reason}", file=sys.stderr)
            found += 1
        for advisory in dependency.get("vulns", []):
            name = f"{dependency['name']} {dependency['version']}"
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            print(f"audit: {name}: {advisory['id']}, fixed in {fixed}", file=sys.stderr)
            found += 1
    print(f"audit: {requirements}: {len(dependencies)} packages, {found or 'no'} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
