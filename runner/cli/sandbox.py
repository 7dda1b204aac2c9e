"""`runner sandbox`: serves the stand-in of the service, for trying things out by hand and with other clients."""

from pathlib import Path

import click

from runner.cli import options
from runner.cli.verb import Verb
from runner.problems import ExitCode
from runner.sandbox.odata import PAGE_SIZE
from runner.sandbox.server import serve


@click.command("sandbox", cls=Verb, short_help="Serve the stand-in of the service.")
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


def _tell(url: str) -> None:
    click.echo(f"serving at {url} (Ctrl-C ends it)")
