"""Serving the doubles of a sandbox, for the verbs that go to one."""

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from runner.cli.run_pool import Run
from runner.cli.stored_runs import unwritable
from runner.runs.events import RunStatus
from runner.runs.store import RunStore, StoreError


def sandbox(folder: Path) -> AbstractContextManager[str]:
    """Serve the folder as long as the context lasts, and forget what happened; it gives the URL."""
    return _served(folder, None)


class Sandboxes:
    """The sandboxes of a command that carries runs out.

    What happens in one is kept beside the runs until all of them are settled: a run that is killed, and resumed, finds
    its site as it left it. Secrets are not kept there, and are given again (`runner.sandbox.veil`). `again` is the URL
    at which the run began that is gone on with; others may have begun there.
    """

    def __init__(self, store: RunStore, *, again: str | None = None) -> None:
        self._store = store
        self._again = again
        self._made: list[Path] = []
        self._learnt: list[tuple[str, str]] = []
        self._learners: list[Callable[[str, str], object]] = []
        self._lock = Lock()

    def serve(self, folder: Path) -> AbstractContextManager[str]:
        """Serve the folder as long as the context lasts; it gives the URL. Raises `UsageError`."""
        try:
            self._store.prepare()
        except StoreError as error:
            raise unwritable(self._store, error) from error
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
                self._store.delete_sandbox(file)

    def _file(self, url: str) -> Path:
        """The file of the sandbox at `url`: that of the run that is resumed, if it is there, or a new one."""
        earlier = None if self._again is None else _port(self._again)
        file = self._store.sandbox_file(_port(url), earlier=earlier)
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
