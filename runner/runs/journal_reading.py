"""A journal read back, whole or torn, and whether it is still being written. Nothing is changed here."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runner.foundation.private_files import is_taken
from runner.foundation.values import JsonObject
from runner.runs.events import FIRST_PREV, VERSION, Line, decode
from runner.runs.run_folders import EVENTS

_TAIL = 16 * 1024
"""Bytes in which the last line of a journal is looked for first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A journal read back. `flaw` is the number of the first line that does not fit the chain, None where all do.

    `torn`: the last line was cut off in its middle, and is left out.
    """

    lines: tuple[Line, ...] = ()
    flaw: int | None = None
    torn: bool = False


def read(folder: Path) -> Reading:
    """Read the journal in a run's folder. Raises `OSError` where it cannot be read."""
    return reading_of((folder / EVENTS).read_bytes())


def reading_of(content: bytes) -> Reading:
    """What the bytes of a journal say."""
    whole, _, rest = content.rpartition(b"\n")
    lines: list[Line] = []
    flaw = None
    prev = FIRST_PREV
    for number, written in enumerate(whole.split(b"\n") if whole else [], start=1):
        line = _read_line(written)
        if line is not None:
            lines.append(line)
        if flaw is None and (line is None or line.prev != prev or line.seq != number):
            flaw = number
        prev = hashlib.sha256(written).hexdigest()
    return Reading(lines=tuple(lines), flaw=flaw, torn=bool(rest))


def ends(folder: Path) -> tuple[Line, ...]:
    """The first and the last whole line of a journal, as far as they can be read; what lies between is not looked at.

    Raises `OSError` where the journal cannot be read.
    """
    with (folder / EVENTS).open("rb") as file:
        first = file.readline()
        begun = file.tell()
        last = _last_line(file, begun)
    whole = [written[:-1] for written in (first, last) if written.endswith(b"\n")]
    return tuple(line for line in map(_read_line, whole) if line is not None)


def raw_lines(folder: Path) -> Iterator[str]:
    """The whole lines of a journal as they stand. Raises `OSError`."""
    content = (folder / EVENTS).read_bytes()
    whole, _, _ = content.rpartition(b"\n")
    yield from whole.decode(errors="replace").splitlines() if whole else []


def is_being_written(folder: Path) -> bool:
    """Whether some process is carrying this run out now. False also where there are no locks to tell by."""
    return is_taken(folder / EVENTS)


def _last_line(file: BinaryIO, begun: int) -> bytes:
    """The last whole line of what stands behind `begun`, with its line end; nothing where there is none."""
    end = file.seek(0, os.SEEK_END)
    size = _TAIL
    while True:
        start = max(begun, end - size)
        file.seek(start)
        whole, line_end, _ = file.read(end - start).rpartition(b"\n")
        _, found, last = whole.rpartition(b"\n")
        if found or start == begun:
            return last + line_end
        size *= 8


def _read_line(written: bytes) -> Line | None:
    try:
        around: JsonObject = json.loads(written)
        event = decode(written)
        seq, at, prev = around["seq"], around["at"], around["prev"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (isinstance(seq, int) and isinstance(at, str) and isinstance(prev, str)) or around.get("v") != VERSION:
        return None
    return Line(seq=seq, at=at, prev=prev, event=event, sha256=hashlib.sha256(written).hexdigest())
