"""Check the lock of the web app for known vulnerabilities, moderate and worse, with pnpm audit."""

import json
import subprocess
import sys
from typing import Any

from pnpm import check, pnpm
from release import ReleaseError, main, on_github

REPORTED = {"moderate", "high", "critical"}


def audit() -> None:
    check()
    done = pnpm("audit", "--audit-level", "moderate", "--json", stdout=subprocess.PIPE)
    report: dict[str, Any] = json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else {}
    if "advisories" not in report:
        reason = report.get("error", {}).get("message") or f"pnpm audit ended with exit status {done.returncode}"
        print(f"audit_web: NOT AUDITED, because the advisories cannot be read: {reason[:200]}")
        # On GitHub there is a network, so a missing audit is a failure.
        if on_github():
            sys.exit(1)
        return
    if found := judge(report["advisories"]):
        raise ReleaseError(f"{found} known vulnerabilities; see above. `pnpm update` upgrades the packages.")
    print(f"audit_web: {report['metadata']['totalDependencies']} packages, no findings")


def judge(advisories: dict[str, dict[str, Any]]) -> int:
    found = [advisory for advisory in advisories.values() if advisory["severity"] in REPORTED]
    for advisory in found:
        what, severity, fixed = advisory["module_name"], advisory["severity"], advisory["patched_versions"]
        print(f"audit_web: {what}: {advisory['title']} ({severity}), fixed in {fixed}", file=sys.stderr)
    return len(found)


if __name__ == "__main__":
    main(audit)
