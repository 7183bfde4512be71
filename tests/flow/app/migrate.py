"""A migration that behaves as its image's environment says: `migrate.py [of DATABASE | down REVISION | current]`.

MIGRATION_EXIT   exit code, after two lines of log
MIGRATION_GATE   file to wait for before it ends
MIGRATION_NEEDS  file without which it fails; of a database DATABASE: MIGRATION_NEEDS_DATABASE
"""

import os
import sys
import time
from pathlib import Path

database = sys.argv[2] if sys.argv[1:2] == ["of"] else ""
if sys.argv[1:] and not database:
    print("database is at 0007" if sys.argv[1] == "current" else f"going down to {sys.argv[2]}", flush=True)
    sys.exit(0)
print("migration 0007 begins", flush=True)
if "MIGRATION_GATE" in os.environ:
    while not Path(os.environ["MIGRATION_GATE"]).exists():
        time.sleep(0.02)
needs = os.environ.get(f"MIGRATION_NEEDS_{database.upper()}" if database else "MIGRATION_NEEDS")
code = 1 if needs and not Path(needs).exists() else int(os.environ.get("MIGRATION_EXIT", "0"))
print("column orders.total exists already" if code else "migration 0007 is done", flush=True)
sys.exit(code)
