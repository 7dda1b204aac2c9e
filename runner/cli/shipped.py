"""The verbs that need no site: `runner explain`, `runner schema` and `runner init` hand out what ships with the
program, `runner sandbox` serves doubles of processes as a site would.

`init` writes over no file: none of the project itself must be there, and what other tools read is left as it is.
"""

import json
import os
import shlex
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from msgspec import Struct

from runner.cli import hints, options, output
from runner.cli.verb import Verb
from runner.explanations.groups import grouped
from runner.explanations.read import as_json, as_text, explanation
from runner.foundation.problems import CODES, ExitCode, Problem, UsageError
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json
from runner.reports.cells import padded, width
from runner.reports.safe import clean, json_document, safe
from runner.targets.folders import DOUBLES, RECORDS, holds_doubles
from runner.version import VERSION

_FORMAT = 1
_MOST_CODES = 8
_SHORTEST_WORD = 3
SCHEMAS = ("job", "targets", "process", "catalog", "report", "event", "runs", "history", "diff")
_TEMPLATES = Path(__file__).parent / "init_files"
FILES = {
    "hello.job.yaml": ("hello.job.yaml", "a job"),
    "targets.yaml": ("targets.yaml", "where jobs go: the sandbox, and a site to fill in"),
    "sandbox/UsrGreet.process.yaml": ("greet.process.yaml", "the double of a process"),
    ".vscode/settings.json": ("settings.json", "completion and checks in VS Code"),
    ".pre-commit-config.yaml": ("pre-commit.yaml", "checks before each commit"),
    ".github/workflows/creatio.yml": ("workflow.yml", "checks and a rehearsal in CI"),
    ".gitignore": ("gitignore", "runs are not for git"),
}
"""What is written where, from which template, and what it is. A template's own name begins with no dot: such a file
would count for the repository that holds it.
"""
PROJECT_SCHEMAS = ("job", "targets", "process")
_OF_OTHERS = (".vscode/settings.json", ".pre-commit-config.yaml", ".github/workflows/creatio.yml")
"""Files that other tools read, and that a repository has already."""
_ADDED_TO = ".gitignore"
"""Every new repository has one: our lines are added to it."""
_AT_THE_ROOT = (".pre-commit-config.yaml", ".github")


@click.command("explain", cls=Verb)
@click.argument("codes", nargs=-1, metavar="[CODE]…")
@options.form()
@click.pass_context
def explain(context: click.Context, /, **_: object) -> int:
    r"""Say what CODE means: why it is a mistake, or what happened; a wrong and a right example; what to check.

    \b
    Without CODE, all codes are listed by their subjects.

    \b
    Examples:
      runner explain E104
      runner explain 305
      runner explain | less
    """
    given = context.params
    codes = [_known(written) for written in given["codes"]]
    if given["form"] == "json":
        explained: list[Json] = [as_json(explanation(code)) for code in codes or sorted(CODES)]
        output.data(json_document({"format": _FORMAT, "codes": explained}), for_programs=True)
    else:
        text = "\n\n".join(as_text(explanation(code)).rstrip() for code in codes) if codes else _list()
        output.data(f"{text}\n")
    return ExitCode.PASSED


def _list() -> str:
    parts = ("\n".join([f"{words}:", *(f"  {code}  {CODES[code]}" for code in codes)]) for words, codes in grouped())
    return "\n\n".join(parts)


def _known(written: str) -> str:
    """The code: `e104` and `104` are E104. Raises `UsageError` where there is none."""
    code = written.strip().upper().removeprefix("ERROR").strip("[]: ")
    code = f"E{code}" if code.isdigit() else code
    if code in CODES:
        return code
    raise UsageError(Problem(code="E150", message=f"there is no code `{safe(written)}`", hint=_hint(written, code)))


def _hint(written: str, code: str) -> str:
    """Near codes: those whose title holds the word that was given, or that begin alike."""
    word = written.strip().casefold()
    near = [known for known, title in CODES.items() if len(word) >= _SHORTEST_WORD and word in title.casefold()]
    near = near or [known for known in CODES if len(code) >= _SHORTEST_WORD and known.startswith(code[:3])]
    found = suggest(code, CODES)
    near = near or ([found] if found else [])
    if not near:
        return "`runner explain` lists all codes"
    listed = ", ".join(f"{known} ({CODES[known]})" for known in near[:_MOST_CODES])
    return f"near are {listed}; `runner explain` lists all codes"


@click.command("schema", cls=Verb)
@click.argument("name", type=hints.OneWord(SCHEMAS), default="job")
@options.option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    type=options.FilledPath(),
    help="The schema of jobs for one site: it knows the processes of this catalogue, and their parameters.",
)
@click.pass_context
def schema(context: click.Context, /, **_: object) -> int:
    r"""Print the JSON Schema of NAME: job files, targets, doubles of processes, catalogues; for programs, JSON reports,
    events, and what `runs`, `history` and `diff` print with `--format json`.

    \b
    Examples:
      runner schema job > job.schema.json
      runner schema history > history.schema.json
      runner schema job --catalog specs/staging.catalog.yaml > staging.schema.json

    In an editor with the YAML language server, the first line of a job names its schema:
    `# yaml-language-server: $schema=staging.schema.json`.
    """
    name, file = context.params["name"], context.params["catalogue"]
    output.data(_schema_text(name) if file is None else _for_a_site(name, file), for_programs=True)
    return ExitCode.PASSED


def _schema_text(name: str) -> str:
    from runner.json_schema.schemas import shipped_text  # noqa: PLC0415  10 ms, which `explain` does not need

    return shipped_text(name)


def _for_a_site(name: str, file: Path) -> str:
    from runner.catalogue.editor import specialised  # noqa: PLC0415  30 ms, only for a schema of a site
    from runner.cli.catalogue_files import read_file  # noqa: PLC0415

    if name != "job":
        message = f"`--catalog` is for the schema `job` only, not for `{name}`"
        raise UsageError(Problem(code="E150", message=message))
    return json.dumps(specialised(json.loads(_schema_text("job")), read_file(file)), ensure_ascii=True, indent=1) + "\n"


class NewFile(Struct, frozen=True, kw_only=True):
    """A file that is to be written."""

    path: Path
    text: str
    what: str
    may_be_there: bool = False


@click.command("init", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.pass_context
def init(context: click.Context, /, **_: object) -> int:
    r"""Start a project in FOLDER, the current one without: a job, targets, a double of a process, JSON Schemas for
    editors, and entries for VS Code, pre-commit, GitHub and git.

    \b
    Example:
      runner init smoke && runner run smoke

    No file that is there already is written over: where it is the job, the targets, the double or a schema, nothing is
    written at all, and the exit code is 2. Files for VS Code, pre-commit and GitHub are left as they are, and named; to
    a .gitignore a line is added.
    """
    folder: Path = context.params["folder"]
    whole = folder.resolve()
    root = next((above for above in (whole, *whole.parents) if (above / ".git").exists()), whole)
    files = list(new_files(folder, called=whole.relative_to(root).as_posix()))
    _refuse_what_is_in_the_way(files)
    done = [(_write(file), safe(str(file.path)), file.what) for file in files]
    cells = [max(map(width, column)) for column in zip(*done, strict=True)]
    for did, path, what in done:
        output.data(f"{padded(did, cells[0])} {padded(path, cells[1])}  {what}\n")
    if root != whole:
        names = " and ".join(_AT_THE_ROOT)
        output.data(f"\n{names} count only at the root of the checkout: move them to {safe(str(root))}\n")
    output.data(f"\nnext: runner run {safe(shlex.quote(str(folder)))}\n")
    return ExitCode.PASSED


def new_files(folder: Path, *, called: str) -> Iterator[NewFile]:
    """The files of a project; `called` is the folder's name in commands that are given at the root of the checkout."""
    for name, (template, what) in FILES.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        filled = text.replace("@FOLDER@", shlex.quote(called)).replace("@VERSION@", VERSION)
        yield NewFile(path=folder / name, text=filled, what=what, may_be_there=name in (*_OF_OTHERS, _ADDED_TO))
    for schema in PROJECT_SCHEMAS:
        path = folder / "schema" / f"{schema}.schema.json"
        yield NewFile(path=path, text=_schema_text(schema), what=f"`runner schema {schema}`, for editors")


def _refuse_what_is_in_the_way(files: Iterable[NewFile]) -> None:
    """Raise `UsageError` where one of the files, or something that is no folder in the place of one, is there."""
    taken = dict.fromkeys(found for file in files if (found := _in_the_way(file)) is not None)
    if taken:
        message = f"there already, so nothing was written: {', '.join(map(str, taken))}"
        raise UsageError(Problem(code="E153", message=message, hint="choose another folder: `runner init FOLDER`"))


def _in_the_way(file: NewFile) -> Path | None:
    path = file.path
    if file.may_be_there and path.is_file():
        return None
    if os.path.lexists(path):
        return path
    above = next((folder for folder in path.parents if os.path.lexists(folder)), None)
    return None if above is None or above.is_dir() else above


def _write(file: NewFile) -> str:
    """Write a file where there is none, or add our lines; what was done. Raises `UsageError` where it cannot be
    written.
    """
    try:
        if file.may_be_there and file.path.is_file():
            return _add_lines(file) if file.path.name == _ADDED_TO else "left"
        file.path.parent.mkdir(parents=True, exist_ok=True)
        with file.path.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(file.text)
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise UsageError(Problem(code="E153", message=f"{file.path} cannot be written: {why}")) from error
    return "wrote"


def _add_lines(file: NewFile) -> str:
    there = file.path.read_text(encoding="utf-8")
    more = [line for line in file.text.splitlines() if line not in there.splitlines()]
    if not more:
        return "left"
    separated = there if there.endswith("\n") or not there else f"{there}\n"
    file.path.write_text(separated + "\n".join(more) + "\n", encoding="utf-8", newline="\n")
    return "added to"


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
    from runner.sandbox.odata import PAGE_SIZE  # noqa: PLC0415  79 ms, for this verb only
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
