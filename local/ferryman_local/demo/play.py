"""Starts the local AWS, plays the scenes, shows the table; exit 0 only if every scene ended as it must."""

import argparse
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from ferryman_cli import output
from ferryman_local import commands, instance, supervisor
from ferryman_local.demo import outcome
from ferryman_local.demo.checks import Checks
from ferryman_local.demo.logs import save
from ferryman_local.demo.memory import Memory
from ferryman_local.demo.outcome import Result
from ferryman_local.demo.scenes import SCENES, Scene
from ferryman_local.demo.screen import Screen, shown
from ferryman_local.demo.stage import Stage
from ferryman_local.engines.engine import DOCKER, PROCESS
from ferryman_local.instance import Instance
from ferryman_local.interruption import Interruption
from ferryman_local.local_aws import CHECKOUT, LocalAws

RUNS = CHECKOUT / "build" / "demo"
KEPT_RUNS = 5


def main(interruption: Interruption) -> int:
    """Exit status."""
    parser = argparse.ArgumentParser(prog="python -m ferryman_local.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything up at the end, until Ctrl-C")
    parser.add_argument("--engine", choices=(PROCESS, DOCKER), default=PROCESS, help="what runs the containers")
    options = parser.parse_args()
    if sys.platform != "linux" and options.engine == PROCESS:
        print("The demo needs Linux: each task gets a loopback address of its own (127.x.y.z).", file=sys.stderr)
        return 2
    if missing := commands.lacks(options.engine):
        print(f"The demo can't begin: {missing}", file=sys.stderr)
        return 2
    screen, home = Screen(), new_home()
    aws = LocalAws(home, github=True, report=screen.setup, engine=options.engine)
    aws.emulator.spare_worker_seconds = 1  # a small machine will do
    try:
        return tell(aws, screen, keep=options.keep)
    except KeyboardInterrupt:
        print("\nInterrupted: stopping everything.", flush=True)
        raise
    finally:
        interruption.obeyed()  # what follows is short and must not be cut off
        began = time.monotonic()
        aws.stop()
        shutil.rmtree(home / "state", ignore_errors=True)
        print(f"Everything was stopped in {time.monotonic() - began:.1f} s; the logs are in {shown(home)}", flush=True)


def tell(aws: LocalAws, screen: Screen, *, keep: bool) -> int:
    """Start, play all scenes, show the table, and hold everything up if asked to."""
    began = time.monotonic()
    results = [Result(scene.title) for scene in SCENES]
    error = ""
    with Memory() as memory:
        try:
            screen.heading("Set-up", "A local AWS is started, and Ferryman's own SAM template is deployed to it.")
            with screen.busy("starting the local AWS"):
                aws.start()
            screen.setup(f"GitHub is a stand-in on {aws.github.url}; {shown(aws.platform_file)} is the example with it")
            ready = time.monotonic()
            stage = Stage(aws, screen)
            for number, (scene, result) in enumerate(zip(SCENES, results, strict=True), 1):
                play(scene, f"{number}/{len(SCENES)}  {scene.title}", stage, result)
                if result.word != "ok":
                    break
            told = time.monotonic()
        except Exception as failure:  # noqa: BLE001 - told below, with the logs
            error, ready, told = f"{type(failure).__name__}: {failure}", began, time.monotonic()
    screen.heading("What happened", "")
    outcome.show(results)
    ok = not error and all(result.word == "ok" for result in results)
    spent = f"{told - ready:.0f} s for the scenes, {ready - began:.0f} s for the start; " if not error else ""
    everything = "everything but Docker's containers" if aws.emulator.engine == DOCKER else "everything"
    print(f"\n{spent}at most {memory.peak / 1e9:.2f} GB of memory for {everything}.")
    if not ok:
        explain(aws, results, error)
    if keep and aws.outputs and aws.emulator.running:
        hold(aws)
    return 0 if ok else 1


def play(scene: Scene, title: str, stage: Stage, result: Result) -> None:
    """Play one scene; what goes wrong in it is its result."""
    stage.screen.heading(title, scene.why)
    checks = Checks(stage.screen)
    result.run = True
    try:
        result.outcomes = scene.play(stage, checks)
    except Exception as failure:  # noqa: BLE001 - a scene that can't be played to its end has failed
        result.error = f"{type(failure).__name__}: {failure}"
        stage.screen.check("", scene.title, ok=False, found=result.error)
    result.checks, result.checked = checks.made, checks.summary


def explain(aws: LocalAws, results: list[Result], error: str) -> None:
    """Say what failed, and show the end of the logs."""
    problems = [error] if error else []
    for result in results:
        problems += [
            f"{result.title}: {check.where}: {check.what}: {check.found}" for check in result.checks if not check.ok
        ]
        problems += [f"{result.title}: {result.error}"] if result.error else []
    print("\nFAILED:")
    for problem in problems:
        print(f"  {output.flat(problem)[:500]}")
    print("\nThe end of the local AWS's log:")
    print(output.clean(aws.emulator.log_tail(25)))
    for line in save(aws):
        print(output.clean(line))


def hold(aws: LocalAws) -> None:
    """Leave everything up until Ctrl-C or `ferryman local down`, and say what to try."""
    if instance.find() is None:
        instance.FOLDER.mkdir(exist_ok=True)
        kept = Instance.of_this_process("make demo KEEP=1", aws).standing(aws)
        kept.write()
    else:
        kept = None
    print("\nEverything stays up until Ctrl-C here. In another terminal, in this folder:\n")
    print("  . .venv/bin/activate")
    print("\n".join(f"  {line}" for line in instance.shell_lines(instance.exports(aws.cli_env()))))
    if kept:
        print("\n" + commands.what_to_try(), flush=True)
    else:
        print("\n`ferryman local push` and `down` are for the other local AWS, that `ferryman local up` started.")
    try:
        supervisor.hold(aws, threading.Event())
    except (KeyboardInterrupt, SystemExit):
        print()  # Ctrl-C and `ferryman local down` are the ways to end it: the scenes decide the exit status
    finally:
        if kept:
            kept.forget()


def new_home() -> Path:
    """A folder for this run's logs; those of old runs go."""
    RUNS.mkdir(parents=True, exist_ok=True)
    for old in sorted(RUNS.iterdir())[: 1 - KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    home = RUNS / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    home.mkdir()
    return home
