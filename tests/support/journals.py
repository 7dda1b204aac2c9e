"""Journals of runs in folders, for tests that name the folder of the run."""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from runner.runs.events import Line, RunStarted, TargetName
from runner.runs.files.store import FileRunStore
from runner.runs.journal import Journal, StoredJournal, parse, parse_line
from runner.runs.store import Part
from runner.secrets.redact import Secrets

__all__ = [
    "EVENTS",
    "JUNIT",
    "PLAN",
    "REPORT",
    "RESULTS",
    "RUN_STARTED",
    "before_each_line",
    "ends",
    "is_being_written",
    "new_journal",
    "read",
    "reopened",
    "store_of",
]

MOMENT = "2026-01-31T09:00:00.000Z"
RUN_STARTED: Final = RunStarted(
    run="0194",
    engine="0",
    replay=1,
    job="smoke",
    file="f",
    case=None,
    target=TargetName(name="here", url="http://127.0.0.1", sandbox=False),
    inputs={},
    digest="",
    commit=None,
    started_at=MOMENT,
)
"""How a run begins: `msgspec.structs.replace` changes what a test is about."""


def store_of(folder: Path) -> FileRunStore:
    return FileRunStore(folder.parent)


def new_journal(folder: Path, secrets: Secrets | None = None, *, now: Callable[[], str] = lambda: MOMENT) -> Journal:
    return Journal(store_of(folder).create(folder.name), secrets or Secrets(), now=now)


def before_each_line(number: int, fault: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call `fault`, which may raise, with the number of each line before it is written to the journal that a command
    opens as this one, counted from 1.
    """
    journals: list[int] = []
    lines = count(1)
    really_open, really_write = os.open, os.write

    def opened(path: str | Path, flags: int, mode: int = 0o777) -> int:
        file = really_open(path, flags, mode)
        if Path(path).name == EVENTS and flags & os.O_CREAT:
            journals.append(file)
        return file

    def write(file: int, content: bytes) -> int:
        if file in journals[number - 1 : number]:
            fault(next(lines))
        return really_write(file, content)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "write", write)


def reopened(folder: Path, secrets: Secrets | None = None, *, now: Callable[[], str] = lambda: MOMENT) -> Journal:
    return Journal.reopened(store_of(folder), folder.name, secrets or Secrets(), now=now)


def read(folder: Path) -> StoredJournal:
    return parse(store_of(folder).events(folder.name))


def is_being_written(folder: Path) -> bool:
    return store_of(folder).is_being_written(folder.name)


def ends(folder: Path) -> list[Line]:
    return [line for line in map(parse_line, store_of(folder).ends(folder.name)) if line is not None]


EVENTS: Final = Part.EVENTS.value
PLAN: Final = Part.PLAN.value
REPORT: Final = Part.REPORT.value
JUNIT: Final = Part.JUNIT.value
RESULTS: Final = "results"
