"""What each handler loads when Lambda imports it: modules of the core layer with their source lines, and packages.

A tree is a folder with `functions/<function>/app.py` and `layers/core`, of any commit: no module's name is assumed.
This file is also the program that does the imports, in a process of its own: `python loaded.py TREE` prints JSON.
It forks once per handler, so that each starts without what another one has loaded, and boto3 is imported only once.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Every handler loads these through `ferryman.runtime`; loaded before the forks, they cost their time once.
PRELOADED = ("aws_lambda_powertools", "boto3", "pydantic")


@dataclass(frozen=True)
class Loaded:
    """What is in `sys.modules` after one handler's `app.py` was imported."""

    modules: Mapping[str, Path]
    """The modules of `layers/core` by name, each with its file."""
    packages: frozenset[str]
    """Top-level names of all other modules outside the standard library, the preloaded ones among them."""

    @property
    def lines(self) -> int:
        """Source lines of the modules, comments and empty lines included."""
        return sum(len(path.read_text().splitlines()) for path in self.modules.values())


def handlers(tree: Path) -> list[str]:
    """Return the functions that have an `app.py`, by name."""
    return sorted(path.parent.name for path in (tree / "functions").glob("*/app.py"))


def loaded(tree: Path) -> dict[str, Loaded]:
    """Import each handler of a tree as Lambda does, and return what it loads.

    Raises RuntimeError with the end of the traceback if an import fails.
    """
    done = subprocess.run([sys.executable, "-P", __file__, str(tree)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a handler of {tree} can't be imported:\n{done.stderr[-2000:]}")
    return {
        name: Loaded({module: Path(file) for module, file in modules.items()}, frozenset(packages))
        for name, (modules, packages) in json.loads(done.stdout).items()
    }


def _import_all(tree: Path) -> dict[str, tuple[dict[str, str], list[str]]]:
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return {name: _import_in_fork(tree, name) for name in handlers(tree)}


def _import_in_fork(tree: Path, function: str) -> tuple[dict[str, str], list[str]]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(writing, "w") as answer:
            json.dump(_import(tree, function), answer)
        # What follows is the parent's. An exception ends the child as it would end any program.
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    if os.waitpid(child, 0)[1]:
        sys.exit(f"functions/{function}/app.py can't be imported")
    modules, packages = json.loads(text)
    return modules, packages


def _import(tree: Path, function: str) -> tuple[dict[str, str], list[str]]:
    """Import one handler with the paths of Lambda: the function's folder, then the layer."""
    core = tree.resolve() / "layers" / "core"
    sys.path[:0] = [str(tree.resolve() / "functions" / function), str(core)]
    importlib.import_module("app")
    files = {name: str(getattr(module, "__file__", None) or "") for name, module in sys.modules.items()}
    modules = {name: file for name, file in files.items() if file.startswith(f"{core}{os.sep}")}
    others = {name.partition(".")[0] for name in files.keys() - modules.keys()}
    return modules, sorted(others - sys.stdlib_module_names - {"app"})


if __name__ == "__main__":
    print(json.dumps(_import_all(Path(sys.argv[1]))))
