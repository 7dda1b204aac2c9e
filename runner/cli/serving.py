"""Serving the doubles of a sandbox, for the verbs that go to one."""

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from runner.cli.beginning import Run
from runner.foundation.private_files import ensure_folder
from runner.runs import run_folders
from runner.runs.events import RunStatus

_FILES_OF_ONE = ("", "-wal", "-shm")
"""What SQLite makes of a file."""


def sandbox(folder: Path) -> AbstractContextManager[str]:
    """Serve the folder as long as the context lasts, and forget what happened; it gives the URL."""
    return _served(folder, None)


class Sandboxes:
    """The sandboxes of a command that carries runs out.

    What happens in one is kept beside the runs until all of them are settled: a run that is killed, and resumed, finds
    its site as it left it. Secrets are not kept there, and are given again (`runner.sandbox.veil`). `again` is the URL
    at which the run began that is gone on with; others may have begun there.
    """

    def __init__(self, root: Path, *, again: str | None = None) -> None:
        self._root = root
        self._again = again
        self._made: list[Path] = []
        self._learnt: list[tuple[str, str]] = []
        self._learners: list[Callable[[str, str], object]] = []
        self._lock = Lock()

    def serve(self, folder: Path) -> AbstractContextManager[str]:
        """Serve the folder as long as the context lasts; it gives the URL. Raises `UsageError`."""
        run_folders.prepare(self._root)
        veil = importlib.import_module("runner.sandbox.veil").Veil()
        with self._lock:
            self._learners.append(veil.learn)
            for name, text in self._learnt:
                veil.learn(name, text)
        return _served(folder, self._file, veil)

    def learn(self, name: str, text: str) -> None:
        """A secret of one of the runs: no file shall hold it."""
        with self._lock:
            self._learnt.append((name, text))
            for learn in self._learners:
                learn(name, text)

    def forget(self, carried: Sequence[Run]) -> None:
        """Delete what is kept, if nothing is left to do about the runs."""
        results = [run.result for run in carried] if self._made else []
        if all(result.finished and result.status is not RunStatus.UNKNOWN for result in results):
            for file in self._made:
                _delete(file)

    def _file(self, url: str) -> Path:
        """The file of the sandbox at `url`: that of the run that is gone on with, if it is there, or a new one."""
        file = None if self._again is None else run_folders.sandbox_file(self._root, _port(self._again))
        if file is None or not file.exists():
            file = run_folders.sandbox_file(self._root, _port(url))
            ensure_folder(file.parent)
            _delete(file)  # of a sandbox that had this port long ago
        self._made.append(file)
        return file


def _served(
    folder: Path, data: Callable[[str], Path] | None, veil: object | None = None
) -> AbstractContextManager[str]:
    # the web server is imported only where a target is a sandbox: 79 ms
    served: AbstractContextManager[str] = importlib.import_module("runner.sandbox.server").served(
        folder, data=data, veil=veil
    )
    return served


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def _delete(file: Path) -> None:
    for end in _FILES_OF_ONE:
        file.with_name(file.name + end).unlink(missing_ok=True)
