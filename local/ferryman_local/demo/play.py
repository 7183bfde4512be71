"""Start the local AWS, play the scenes, and show the results. Exits with 0 only if every scene passed."""

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
    parser.add_argument("--keep", action="store_true", help="keep everything running at the end, until Ctrl-C")
    parser.add_argument("--engine", choices=(PROCESS, DOCKER), default=PROCESS, help="how to run containers")
    options = parser.parse_args()
    if sys.platform != "linux" and options.engine == PROCESS:
        print("The demo requires Linux, because each task gets its own loopback address (127.x.y.z).", file=sys.stderr)
        return 2
    if missing := commands.lacks(options.engine):
        print(f"The demo cannot start: {missing}", file=sys.stderr)
        return 2
    screen, home = Screen(), new_home()
    aws = LocalAws(home, github=True, report=screen.setup, engine=options.engine)
    aws.emulator.spare_worker_seconds = 1  # enough for a small machine
    try:
        return tell(aws, screen, keep=options.keep)
    except KeyboardInterrupt:
        print("\nInterrupted. Stopping everything.", flush=True)
        raise
    finally:
        interruption.obeyed()  # what follows is short and must not be cut off
        began = time.monotonic()
        aws.stop()
        shutil.rmtree(home / "state", ignore_errors=True)
        print(f"Stopped everything in {time.monotonic() - began:.1f} s; logs: {shown(home)}", flush=True)


def tell(aws: LocalAws, screen: Screen, *, keep: bool) -> int:
    """Start everything, play all scenes, show the table, and keep everything running if requested."""
    began = time.monotonic()
    results = [Result(scene.title) for scene in SCENES]
    error = ""
    with Memory() as memory:
        try:
            screen.heading("Set-up", "The demo starts a local AWS and deploys Ferryman's SAM template to it.")
            with screen.busy("starting the local AWS"):
                aws.start()
            screen.setup(f"simulated GitHub on {aws.github.url}; platform document: {shown(aws.platform_file)}")
            ready = time.monotonic()
            stage = Stage(aws, screen)
            for number, (scene, result) in enumerate(zip(SCENES, results, strict=True), 1):
                play(scene, f"{number}/{len(SCENES)}  {scene.title}", stage, result)
                if result.word != "ok":
                    break
            told = time.monotonic()
        except Exception as failure:  # noqa: BLE001 - shown below, with the logs
            error, ready, told = f"{type(failure).__name__}: {failure}", began, time.monotonic()
    screen.heading("Results", "")
    outcome.show(results)
    ok = not error and all(result.word == "ok" for result in results)
    spent = f"{told - ready:.0f} s for the scenes, {ready - began:.0f} s to start; " if not error else ""
    everything = "everything but Docker's containers" if aws.emulator.engine == DOCKER else "everything"
    print(f"\n{spent}peak memory of {everything}: {memory.peak / 1e9:.2f} GB.")
    if not ok:
        explain(aws, results, error)
    if keep and aws.outputs and aws.emulator.running:
        hold(aws)
    return 0 if ok else 1


def play(scene: Scene, title: str, stage: Stage, result: Result) -> None:
    """Play one scene; an error in it becomes part of its result."""
    stage.screen.heading(title, scene.why)
    checks = Checks(stage.screen)
    result.run = True
    try:
        result.outcomes = scene.play(stage, checks)
    except Exception as failure:  # noqa: BLE001 - a scene that cannot be completed has failed
        result.error = f"{type(failure).__name__}: {failure}"
        stage.screen.check("", scene.title, ok=False, found=result.error)
    result.checks, result.checked = checks.made, checks.summary


def explain(aws: LocalAws, results: list[Result], error: str) -> None:
    """Print what failed, and the end of the logs."""
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
    """Keep everything running until Ctrl-C or `ferryman local down`, and print commands to try."""
    if instance.find() is None:
        instance.FOLDER.mkdir(exist_ok=True)
        kept = Instance.of_this_process("make demo KEEP=1", aws).standing(aws)
        kept.write()
    else:
        kept = None
    print("\nEverything keeps running until you press Ctrl-C here. In another terminal, in this folder:\n")
    print("  . .venv/bin/activate")
    print("\n".join(f"  {line}" for line in instance.shell_lines(instance.exports(aws.cli_env()))))
    if kept:
        print("\n" + commands.what_to_try(aws.platform_file), flush=True)
    else:
        print("\n`ferryman local push` and `down` use the other local AWS, which `ferryman local up` started.")
    try:
        supervisor.hold(aws, threading.Event())
    except (KeyboardInterrupt, SystemExit):
        print()  # ended by Ctrl-C or `ferryman local down`; the scenes decide the exit status
    finally:
        if kept:
            kept.forget()


def new_home() -> Path:
    """Create a folder for this run's logs, and delete the folders of old runs."""
    RUNS.mkdir(parents=True, exist_ok=True)
    for old in sorted(RUNS.iterdir())[: 1 - KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    home = RUNS / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    home.mkdir()
    return home
