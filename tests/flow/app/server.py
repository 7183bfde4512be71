"""A service that starts at once and behaves as its image's environment says.

CRASH   exit code to end with at the start, after two lines of log
NEEDS   file without which it crashes the same way
GATE    file to wait for before listening: whoever makes it decides when the rollout goes on
TELLS   version that /health tells instead of its own
TELLS_IF  file that, once it is there, holds that version
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """The same answer for every path."""

    def do_GET(self) -> None:
        other = Path(os.environ.get("TELLS_IF", "/nowhere"))
        tells = other.read_text() if other.is_file() else os.environ.get("TELLS")
        body = json.dumps({"version": tells or os.environ["APP_VERSION"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if "CRASH" in os.environ or ("NEEDS" in os.environ and not Path(os.environ["NEEDS"]).exists()):
        print("reading the configuration", flush=True)
        print("no database is named: giving up", flush=True)
        sys.exit(int(os.environ.get("CRASH", "1")))
    if "GATE" in os.environ:
        while not Path(os.environ["GATE"]).exists():
            time.sleep(0.02)
    ThreadingHTTPServer((os.environ["BIND_ADDRESS"], int(os.environ["PORT"])), Handler).serve_forever()
