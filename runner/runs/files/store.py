"""Runs in files: a private folder of runs, and beside it what outlives them.

    .runner/                     or, where a folder is named that is not `.runner/runs`, all of it in that folder
      .gitignore
      .plans/SHA256              the runs that came of a stored plan, a line each: `claims.py`
      .reruns/                   which runs are being carried out once more: `claims.py`
      .rows.sqlite               which rows of process logs belong to which call
      history.jsonl              a line a run; it is written under the lock of .history.lock
      .sandboxes/PORT.sqlite     what happened in a sandbox
      runs/RUN/events.jsonl      locked by the process that writes it
      runs/RUN/plan.json, report.json, junit.xml, results/SHA256.json

Locks of jobs, turns, a file of all rows that are owned, and which stored plans were carried out, lie in the user's own
state folder: they hold for all folders of runs.
"""

import os
import shutil
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property, partial
from io import BytesIO
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from runner.foundation import private_files
from runner.foundation.private_files import state_folder
from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.site_key import hashed
from runner.foundation.values import is_guid
from runner.runs import USUAL, StoreName
from runner.runs.files.claims import PlanUses, RerunClaims
from runner.runs.files.event_log import EVENTS, FileLog, last_line, pieces_of, stored
from runner.runs.files.history import HistoryFile
from runner.runs.files.locks import hold
from runner.runs.store import (
    Claim,
    Holder,
    Lock,
    OwnedRows,
    Part,
    RerunUnderWay,
    RunLockedError,
    RunOfPlan,
    SharedTurns,
    Taken,
)

_SHARED_HINT = (
    "end the program that holds this file, or move the file away where it is damaged; make its folder, "
    "or set XDG_STATE_HOME to another, where it cannot be written"
)
_NO_FOLDER = Path(os.devnull)  # for a user without a home: nothing can be made below it
_SQLITE_FILES = ("", "-wal", "-shm")  # what SQLite makes of a file


def _state_folder() -> Path:
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  Path's own raises where a user has no home
    return state_folder(os.environ, home=home if home.is_absolute() else _NO_FOLDER)


def _shared_by_folders(what: str) -> Path:
    """Named after this machine: a home may be on the network, and SQLite's locks reach no other machine."""
    return _state_folder() / f"{what}-{hashed(socket.gethostname())[:16]}"


class FileRunStore:
    """The runs in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.name = StoreName(str(root))
        self._root = root
        self._place = str(root.absolute())  # somebody may take the current folder away meanwhile
        self._top = root.parent if root.parts[-2:] == Path(USUAL).parts else root
        self._history = HistoryFile(self._top / "history.jsonl")
        self._open = ExitStack()
        self._rows_of: Callable[..., OwnedRows] | None = None
        self._shared_trouble: Callable[[], str | None] = lambda: None
        self._warned: set[tuple[str, str]] = set()

    def prepare(self) -> None:
        """Make the folder of runs, private and out of git's sight."""
        with stored(self._root):
            for folder in dict.fromkeys((self._top, self._root)):
                private_files.ensure_folder(folder)
            ignored = self._top / ".gitignore"
            if not ignored.exists():
                ignored.write_text("# Runs hold what a site answered; they are not for git.\n*\n")

    def close(self) -> None:
        self._open.close()

    def runs(self, *, since: str = "") -> list[str]:
        return [*takewhile(lambda run: run >= since, self.newest())][::-1]

    def newest(self) -> Iterator[str]:
        try:
            names = sorted(os.listdir(self._root), reverse=True)  # noqa: PTH208  to sort paths takes ten times as long
            return (name for name in names if _is_run(self._root / name))
        except (FileNotFoundError, NotADirectoryError):
            return iter(())
        except OSError as error:
            message = f"the runs in {self._root} cannot be listed: {error.strerror or error}"
            owner = private_files.owner_of(self._root)
            hint = None if owner is None else f"they are `{owner}`'s: give the command as that user"
            raise UsageError(Problem(code="E151", message=message, hint=hint)) from error

    def place(self, run: str, part: Part | None = None) -> str:
        return str(self._root / run if part is None else self._root / run / part.value)

    def create(self, run: str) -> FileLog:
        """A file system without locks is no reason not to run: nobody else knows of a new run."""
        folder = self._root / run
        with stored(folder):
            folder.mkdir(mode=private_files.PRIVATE_FOLDER)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | private_files.BINARY
            file = os.open(folder / EVENTS, flags, private_files.PRIVATE_FILE)
            with suppress(OSError):
                private_files.take(file)
        return FileLog(folder, file)

    def reopen(self, run: str) -> FileLog:
        path = self._root / run / EVENTS
        with stored(path):
            file = os.open(path, os.O_RDWR | os.O_APPEND | private_files.BINARY)
            try:
                is_free = private_files.take(file)
            except BaseException:
                os.close(file)
                raise
        if not is_free:
            os.close(file)
            raise RunLockedError(f"another process is writing {path}")
        return FileLog(path.parent, file)

    def events(self, run: str) -> Iterator[bytes]:
        with stored(self._root / run), self._lines(run) as file:
            yield from file

    def ends(self, run: str) -> list[bytes]:
        with stored(self._root / run), self._lines(run) as file:
            first = file.readline()
            last = last_line(file, file.tell())
        return [line[:-1] for line in (first, last) if line.endswith(b"\n")]

    def _lines(self, run: str) -> BinaryIO:
        """The events; nothing where somebody has deleted them."""
        path = self._root / run / EVENTS
        return path.open("rb") if path.exists() or not path.parent.exists() else BytesIO()

    def is_being_written(self, run: str) -> bool:
        return private_files.is_taken(self._root / run / EVENTS)

    def seconds_silent(self, run: str) -> float | None:
        """Nobody is: the lock of a run vanishes with its process."""
        del run
        return None

    def hold_command(self, run: str) -> None:
        """Lock what the command was to begin. Without locks of the file system it runs all the same."""
        with suppress(OSError):
            file = private_files.open_taken(self._root / run / Part.PLANNED.value)
            if file is not None:
                self._open.callback(os.close, file)

    def is_command_under_way(self, run: str) -> bool:
        return private_files.is_taken(self._root / run / Part.PLANNED.value)

    def not_begun(self, name: str) -> Sequence[tuple[str, str]]:
        """None: a run is in the folder once it begins."""
        del name
        return ()

    def put(self, run: str, part: Part, content: str | Iterator[bytes]) -> None:
        encoded = content.encode() if isinstance(content, str) else content
        with stored(self._root / run):
            private_files.write_whole(self._root / run / part.value, encoded, durable=False)

    def get(self, run: str, part: Part) -> bytes:
        with stored(self._root / run):
            return (self._root / run / part.value).read_bytes()

    def pieces(self, run: str, part: Part) -> Iterator[bytes]:
        path = self._root / run / part.value
        with stored(path):
            return pieces_of(path.open("rb"))

    def delete(self, run: str) -> None:
        with stored(self._root / run):
            shutil.rmtree(self._root / run)

    def history(self) -> bytes:
        with stored(self._history.path):
            return self._history.read()

    def append_history(self, line: bytes) -> int:
        with stored(self._history.path):
            return self._history.append(line)

    def change_history(self, change: Callable[[bytes], bytes]) -> None:
        with stored(self._history.path):
            self._history.change(change)

    def owned_rows(self, run: str, *, site: str, settle: float, is_new: bool = False) -> OwnedRows:
        if self._rows_of is None:
            from runner.runs.files.row_database import RowDatabase  # noqa: PLC0415  sqlite3 is 5 ms
            from runner.runs.files.rows_of_folders import RowsOfFolders, SharedFile  # noqa: PLC0415  as above

            own = RowDatabase(self._top / ".rows.sqlite")
            shared = RowDatabase(_shared_by_folders("rows").with_suffix(".sqlite"), place=Path(self._place))
            self._shared_trouble = lambda: shared.trouble
            self._open.callback(own.close)
            self._open.callback(shared.close)
            self._rows_of = partial(RowsOfFolders, SharedFile(own, shared))
        return self._rows_of(run=run, site=site, settle=settle, is_new=is_new)

    def warnings(self) -> tuple[Problem, ...]:
        """A user without a home has nothing that all folders share, and need not know each time."""
        if _state_folder().is_relative_to(_NO_FOLDER):
            return ()
        found = []
        if (why := self._shared_trouble()) is not None:
            message = f"what other folders of runs had started was not known all the time: {why}"
            found.append((message, _SHARED_HINT))
        if (why := self._plans.trouble) is not None:
            message = f"in other folders nobody knows that this plan was carried out: {why}"
            found.append((message, "make this place writable for you"))
        new = [each for each in found if each not in self._warned]
        self._warned.update(new)
        return tuple(
            Problem(code="E311", message=message, hint=hint, severity=Severity.WARNING) for message, hint in new
        )

    def turns(self, site: str) -> SharedTurns:
        from runner.runs.files.turn_files import TurnFiles  # noqa: PLC0415  1 ms, for runs that start a process

        return TurnFiles(_shared_by_folders("turns"), site=site, place=self._place)

    def lock(
        self, claim: Claim, holder: Holder, *, seconds: float = 0.0, wait: Callable[[float], bool]
    ) -> Lock | Taken:
        return hold(claim, holder, folder=_state_folder() / "locks", seconds=seconds, wait=wait)

    def claim_reruns(self, choose: Callable[[], Collection[str]], holder: Holder) -> RerunUnderWay | None:
        with stored(self._root):
            claim = RerunClaims(self._top / ".reruns").claim(choose, holder)
        if isinstance(claim, RerunUnderWay):
            return claim
        self._open.callback(claim)
        return None

    @contextmanager
    def claimed_reruns(self) -> Iterator[Sequence[RerunUnderWay]]:
        with ExitStack() as stack:
            with stored(self._root):
                claimed = stack.enter_context(RerunClaims(self._top / ".reruns").held())
            yield claimed

    def claim_plan(self, key: str) -> bool:
        with stored(self._root):
            return self._plans.claim(key)

    def add_run_of_plan(self, key: str, run: str) -> None:
        with stored(self._root):
            self._plans.add(key, run)

    def runs_of_plan(self, key: str) -> list[RunOfPlan] | None:
        with stored(self._root):
            return self._plans.runs(key)

    def release_plan(self, key: str) -> None:
        with stored(self._root):
            self._plans.release(key)

    def beside(self, folder: str) -> "FileRunStore":
        return FileRunStore(Path(folder))

    @cached_property
    def _plans(self) -> PlanUses:
        return PlanUses(self._top / ".plans", _state_folder() / "plans", place=self._place)

    def sandbox_file(self, port: int, *, earlier: int | None) -> Path:
        found = None if earlier is None else self._sandbox(earlier)
        if found is not None and found.exists():
            return found
        file = self._sandbox(port)
        with stored(file):
            private_files.ensure_folder(file.parent)
        self.delete_sandbox(file)  # that of a sandbox that had this port long ago
        return file

    def delete_sandbox(self, file: Path) -> None:
        with stored(file):
            for end in _SQLITE_FILES:
                file.with_name(file.name + end).unlink(missing_ok=True)

    def delete_sandboxes(self, *, before: float) -> None:
        with stored(self._root):
            for file in self._sandbox(0).parent.glob("*.sqlite*"):
                if file.stat().st_mtime < before:
                    file.unlink()

    def _sandbox(self, port: int) -> Path:
        return self._top / ".sandboxes" / f"{port}.sqlite"


def _is_run(folder: Path) -> bool:
    """Whether the folder is a run, also of another user, or without its events."""
    try:
        return (folder / EVENTS).is_file() or (folder / Part.PLAN.value).is_file()
    except OSError:
        return is_guid(folder.name)
