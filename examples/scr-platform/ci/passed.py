"""Summary of a run: fails unless every needed job succeeded. NEEDS is GitHub's `needs` as JSON."""

import json
import os
import sys


def problems(needs: dict[str, dict[str, str]]) -> list[str]:
    if not needs:
        return ["there are no jobs to check"]
    return [f"{name}: {job.get('result')}" for name, job in needs.items() if job.get("result") != "success"]


if __name__ == "__main__":
    found = problems(json.loads(os.environ.get("NEEDS") or "{}"))
    print("\n".join(found) or "every job succeeded")
    sys.exit(1 if found else 0)
