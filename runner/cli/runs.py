"""`runner runs`: lists the runs that are kept, and clears old ones away."""

import json
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import click

from runner.cli import options, output
from runner.cli.kept import StoredRun, opened
from runner.cli.verb import Verb
from runner.foundation import durations
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.values import Json, JsonObject
from runner.reports.next_steps import next_steps
from runner.reports.runs import Listed, table
from runner.reports.safe import safe_json
from runner.runs import run_folders
from runner.runs.events import RunStatus

FORMAT = 1

_DAYS = re.compile(r"([0-9]{1,5})d")
_DAY = 24 * 3600.0
_TIME_DIGITS = 12
"""Hexadecimal digits of a run's id, a UUIDv7, that are the milliseconds of its beginning."""


@click.command("runs", cls=Verb)
@options.RUNS
@options.form()
@options.option("-n", "--limit", metavar="N", type=click.IntRange(1), help="Only the N newest.")
@options.option("--prune", metavar="AGE", type=options.Filled(), help="Delete runs older than this: `30d`, `12h`.")
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""List the runs that are kept, the newest first; below them the commands that settle what is open.

    \b
    Examples:
      runner runs
      runner runs -n 20 --format json | jq -r '.runs[] | select(.status != "passed").id'
      runner runs --prune 30d

    A run that broke off, or whose outcome is unknown, is never deleted: somebody still has to settle it.
    """
    root: Path = context.params["runs"]
    if context.params["prune"] is not None:
        deleted = _prune(root, _seconds(context.params["prune"]))
        output.say(f"{deleted} {'run' if deleted == 1 else 'runs'} deleted")
        return ExitCode.PASSED
    newest = list(reversed(run_folders.folders(root)))[: context.params["limit"]]
    listed = [_listed(opened(folder)) for folder in newest]
    is_json = context.params["form"] == "json"
    output.data(as_json(listed) if is_json else table(listed), for_programs=is_json)
    return ExitCode.PASSED


def as_json(listed: Sequence[Listed]) -> str:
    whole: JsonObject = {"format": FORMAT, "runs": [_record(one) for one in listed]}
    return safe_json(json.dumps(whole, indent=2, ensure_ascii=False)) + "\n"


def _record(listed: Listed) -> JsonObject:
    """`next` are the commands that settle what is open: of one that is going on, or was changed, none does."""
    run = listed.result
    is_open = not (listed.going_on or listed.changed)
    commands: list[Json] = [one.command for one in next_steps(run, folder=listed.folder)] if is_open else []
    return {
        "id": run.id,
        "job": run.job or None,
        "case": run.case,
        "target": run.target.name or None,
        "status": None if listed.going_on else str(run.status),
        "exit_code": None if listed.going_on else int(run.exit_code),
        "started_at": run.started_at or None,
        "seconds": run.seconds,
        "finished": run.finished,
        "going_on": listed.going_on,
        "changed": listed.changed,
        "next": commands,
    }


def _listed(run: StoredRun) -> Listed:
    return Listed(result=run.result, folder=str(run.folder), going_on=run.going_on, changed=run.flaw is not None)


def _seconds(written: str) -> float:
    days = _DAYS.fullmatch(written)
    seconds = int(days[1]) * _DAY if days else durations.seconds(written)
    if seconds is None:
        hint = "write a number and a unit: `30d`, `12h`"
        raise UsageError(Problem(code="E150", message=f"`--prune {written}` is no age", hint=hint))
    return seconds


def _prune(root: Path, seconds: float) -> int:
    """Delete what is older and settled; how many runs that were."""
    limit = (time.time() - seconds) * 1000
    old = [folder for folder in run_folders.folders(root) if _began(folder) < limit and _is_settled(opened(folder))]
    try:
        for folder in old:
            shutil.rmtree(folder)
        for file in run_folders.sandbox_files(root):
            if file.stat().st_mtime * 1000 < limit:
                file.unlink()
    except OSError as error:
        message = f"{error.filename or root} cannot be deleted: {error.strerror or error}"
        raise UsageError(Problem(code="E151", message=message)) from error
    return len(old)


def _began(folder: Path) -> float:
    """Milliseconds since the epoch; of a folder that is not called like a run, never."""
    try:
        return int(folder.name.replace("-", "")[:_TIME_DIGITS], 16)
    except ValueError:
        return float("inf")


def _is_settled(run: StoredRun) -> bool:
    """Whether nothing is left to do about the run; of one that broke off before it began there never was anything."""
    if run.going_on:
        return False
    if not run.lines and run.flaw is None:
        return True
    return run.result.finished and run.result.status is not RunStatus.UNKNOWN
