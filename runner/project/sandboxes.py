"""The sandboxes that a command serves. The web server is imported only for that: 79 ms."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from runner.runs.events import RunStatus
from runner.runs.result import RunResult
from runner.runs.store import LocalRunStore
from runner.runs.stored_runs import prepare_store
from runner.sandbox.veil import Veil


def serve_sandbox(
    folder: Path, *, data: Callable[[str], Path] | None = None, veil: Veil | None = None
) -> AbstractContextManager[str]:
    """Serve the folder as long as the context lasts; it gives the URL. Without `data` it forgets what happened."""
    from runner.sandbox.server import served  # noqa: PLC0415  200 ms, for whoever has a sandbox

    return served(folder, data=data, veil=veil, has_page=False)  # a shared machine has other users


class Sandboxes:
    """The sandboxes of a command that carries runs out; what happens there is stored until its runs are settled.

    Secrets are not stored (`runner.sandbox.veil`). `resumed` is the URL at which a resumed run began.
    """

    def __init__(self, store: LocalRunStore, *, resumed: str | None = None) -> None:
        self._store = store
        self._resumed = resumed
        self._files: list[Path] = []
        self._learnt: list[tuple[str, str]] = []
        self._learners: list[Callable[[str, str], object]] = []
        self._lock = threading.Lock()

    def serve(self, folder: Path) -> AbstractContextManager[str]:
        """Serve the folder as long as the context lasts; it gives the URL. Raises `UsageError`."""
        prepare_store(self._store)
        veil = Veil()
        with self._lock:
            self._learners.append(veil.learn)
            for name, text in self._learnt:
                veil.learn(name, text)
        return serve_sandbox(folder, data=self._file, veil=veil)

    def learn(self, name: str, text: str) -> None:
        """Take a secret of a run: no file shall hold it."""
        with self._lock:
            self._learnt.append((name, text))
            for learn in self._learners:
                learn(name, text)

    def forget(self, results: Sequence[RunResult]) -> None:
        """Delete what is stored, if nothing is left to do about the runs."""
        if all(result.finished and result.status is not RunStatus.UNKNOWN for result in results):
            for file in self._files:
                self._store.delete_sandbox(file)

    def _file(self, url: str) -> Path:
        """The file of the sandbox at `url`: that of the resumed run, if it is there, or a new file."""
        earlier = None if self._resumed is None else _port(self._resumed)
        file = self._store.sandbox_file(_port(url), earlier=earlier)
        self._files.append(file)
        return file


def _port(url: str) -> int:
    return urlsplit(url).port or 0
