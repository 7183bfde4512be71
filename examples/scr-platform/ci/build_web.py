"""What a production build of the web app is today: its image's files, compiled, started, and asked for the page."""

import compileall
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import yaml
from release import FOLDERS, PLATFORM

VERSION = "0a1b2c3"
# The page has to be one without the API, too. Nobody listens on port 9.
NO_API = "http://127.0.0.1:9"
START_LIMIT_SECONDS = 20


def build(folder: Path) -> list[str]:
    """Lay the files of image.yaml out and compile them; the image's command."""
    source = PLATFORM / FOLDERS["web"]
    image = yaml.safe_load((source / "image.yaml").read_text(encoding="utf-8"))
    for pattern in image["include"]:
        files = [file for file in source.glob(pattern) if file.is_file()]
        if not files:
            raise SystemExit(f"build_web: {pattern} of image.yaml matches nothing")
        for file in files:
            target = folder / file.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    if not compileall.compile_dir(folder, quiet=1):
        raise SystemExit("build_web: it does not compile; see above")
    command: list[str] = image["cmd"]
    return [sys.executable, *command[1:]] if command[0] == "python" else command


def page(folder: Path, command: list[str]) -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    settings = {"APP_VERSION": VERSION, "API_URL": NO_API, "PORT": str(port), "BIND_ADDRESS": "127.0.0.1"}
    with subprocess.Popen(command, cwd=folder, env=os.environ | settings) as process:
        try:
            return answer(f"http://127.0.0.1:{port}/", process)
        finally:
            process.terminate()


def answer(url: str, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5) as response:
                text: str = response.read().decode()
                return text
        except URLError:
            time.sleep(0.05)
    raise SystemExit("build_web: what was built does not start; see above")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="build-web-") as name:
        folder = Path(name)
        text = page(folder, build(folder))
        files = sum(1 for file in folder.rglob("*.py"))
    if VERSION not in text or "api unreachable" not in text:
        raise SystemExit("build_web: the page doesn't tell its own version, or hides that the API is not there")
    print(f"build_web: {files} modules compiled; the page tells version {VERSION}, and that there is no API")


if __name__ == "__main__":
    main()
