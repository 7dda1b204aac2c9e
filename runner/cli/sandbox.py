"""`runner sandbox`, and the sandboxes that other verbs serve: the stand-in of the service.

The web server is imported only where a sandbox is served: 79 ms.
"""

import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import click

from runner.cli import options, output
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.reports.safe import clean
from runner.runs.events import RunStatus
from runner.runs.result import RunResult
from runner.runs.store import RunStore, StoreError
from runner.runs.stored_runs import unwritable
from runner.targets.folders import DOUBLES, RECORDS, holds_doubles


@click.command("sandbox", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("sandbox"))
@options.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@options.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@options.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="Store what happens in this file.")
@options.option(
    "--page-size",
    metavar="N",
    type=click.IntRange(1),
    help="Records in one reply of OData, 20000 if not given; more come page by page.",
)
@click.pass_context
def sandbox(context: click.Context, /, **_: object) -> int:
    r"""Serve the doubles in FOLDER (*.process.yaml) as a site would, until it is interrupted.

    Sign in as Supervisor with the password Supervisor, or as OAuth client sandbox with the secret sandbox.
    A browser shows processes, instances, records and calls; it starts processes, executes elements and sets faults.

    \b
    Examples:
      runner sandbox specs/sandbox --port 8080
      curl -d '{"fault": "drop_after", "times": 1}' http://127.0.0.1:8080/sandbox/faults
    """
    from runner.sandbox.odata import PAGE_SIZE  # noqa: PLC0415  as above
    from runner.sandbox.server import serve  # noqa: PLC0415

    given = context.params
    _refuse_a_folder_above(given["folder"])
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # so that it is left in order
    try:
        serve(
            given["folder"],
            ready=_print_url,
            host=given["host"],
            port=given["port"],
            data=given["data"],
            page_size=given["page_size"] or PAGE_SIZE,
        )
    except KeyboardInterrupt:
        return ExitCode.PASSED
    return ExitCode.PASSED


def _print_url(url: str) -> None:
    output.MessageStream("stdout").write(f"serving at {url} (Ctrl-C ends it)\n")


def _refuse_a_folder_above(folder: Path) -> None:
    """Raise `UsageError` where nothing is to be served, and a folder below holds doubles."""
    if not folder.is_dir() or holds_doubles(folder) or (folder / RECORDS).exists():
        return
    below = next((path for path in sorted(folder.iterdir()) if path.is_dir() and holds_doubles(path)), None)
    if below is not None:
        message = f"there is no {DOUBLES} in {clean(str(folder))}"
        raise UsageError(Problem(code="E100", message=message, hint=f"did you mean `{clean(str(below))}`?"))


def serve_sandbox(folder: Path) -> AbstractContextManager[str]:
    """Serve the folder as long as the context lasts, and forget what happened; it gives the URL."""
    from runner.sandbox.server import served  # noqa: PLC0415  as above

    return served(folder, data=None, veil=None)


class Sandboxes:
    """The sandboxes of a command that carries runs out.

    What happens in one is stored beside the runs until all of them are settled: a run that is killed, and resumed,
    finds its site as it left it. Secrets are not stored there, and are given again (`runner.sandbox.veil`). `resumed`
    is the URL at which a resumed run began; others may have begun there.
    """

    def __init__(self, store: RunStore, *, resumed: str | None = None) -> None:
        self._store = store
        self._resumed = resumed
        self._files: list[Path] = []
        self._learnt: list[tuple[str, str]] = []
        self._learners: list[Callable[[str, str], object]] = []
        self._lock = threading.Lock()

    def serve(self, folder: Path) -> AbstractContextManager[str]:
        """Serve the folder as long as the context lasts; it gives the URL. Raises `UsageError`."""
        from runner.sandbox.server import served  # noqa: PLC0415  as above
        from runner.sandbox.veil import Veil  # noqa: PLC0415

        try:
            self._store.prepare()
        except StoreError as error:
            raise unwritable(self._store, error) from error
        veil = Veil()
        with self._lock:
            self._learners.append(veil.learn)
            for name, text in self._learnt:
                veil.learn(name, text)
        return served(folder, data=self._file, veil=veil)

    def learn(self, name: str, text: str) -> None:
        """Take a secret of one of the runs: no file shall hold it."""
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
        """The file of the sandbox at `url`: that of the resumed run, if it is there, or a new one."""
        earlier = None if self._resumed is None else _port(self._resumed)
        file = self._store.sandbox_file(_port(url), earlier=earlier)
        self._files.append(file)
        return file


def _port(url: str) -> int:
    return urlsplit(url).port or 0
