"""`runner sandbox`: serves the stand-in of the service, for trying things out by hand and with other clients."""

import signal
import threading
from pathlib import Path

import click

from runner.cli import options, output
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.reports.safe import clean
from runner.sandbox.odata import PAGE_SIZE
from runner.sandbox.server import serve
from runner.targets.folders import DOUBLES, RECORDS, holds_doubles


@click.command("sandbox", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("sandbox"))
@options.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@options.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@options.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="Keep what happens in this file.")
@options.option(
    "--page-size",
    metavar="N",
    type=click.IntRange(1),
    default=PAGE_SIZE,
    show_default=True,
    help="Records in one reply of OData; more come page by page.",
)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Serve the doubles in FOLDER (*.process.yaml) as a site would, until it is interrupted.

    Sign in as Supervisor with the password Supervisor, or as OAuth client sandbox with the secret sandbox.
    A browser shows what happens, and sets faults.

    \b
    Examples:
      runner sandbox specs/sandbox --port 8080
      curl -d '{"fault": "drop_after", "times": 1}' http://127.0.0.1:8080/sandbox/faults
    """
    given = context.params
    _refuse_a_folder_above(given["folder"])
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # so that it is left in order
    try:
        serve(
            given["folder"],
            ready=_tell,
            host=given["host"],
            port=given["port"],
            data=given["data"],
            page_size=given["page_size"],
        )
    except KeyboardInterrupt:
        return ExitCode.PASSED
    return ExitCode.PASSED


def _refuse_a_folder_above(folder: Path) -> None:
    """Raise `UsageError` where nothing is to be served, and a folder below holds doubles."""
    if not folder.is_dir() or holds_doubles(folder) or (folder / RECORDS).exists():
        return
    below = next((path for path in sorted(folder.iterdir()) if path.is_dir() and holds_doubles(path)), None)
    if below is not None:
        message = f"there is no {DOUBLES} in {clean(str(folder))}"
        raise UsageError(Problem(code="E100", message=message, hint=f"did you mean `{clean(str(below))}`?"))


def _tell(url: str) -> None:
    output.Stream("stdout").write(f"serving at {url} (Ctrl-C ends it)\n")
