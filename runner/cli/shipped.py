"""The verbs that need no site: `explain`, `schema`, `sandbox` and `init`."""

import json
import signal
import threading
from pathlib import Path

import click
from msgspec.structs import asdict

from runner.cli import hints, options
from runner.cli.verb import Verb, is_typed
from runner.explanations.read import as_text, explanation, grouped, titles
from runner.foundation.problems import ExitCode, Problem, Severity, UsageError
from runner.foundation.shell_words import shell_word
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json
from runner.reports.safe import clean, json_document, safe
from runner.scaffold.deploy_kinds import DEPLOY_KINDS
from runner.scaffold.new_files import write_files
from runner.targets.folders import DOUBLES, RECORDS, holds_doubles
from runner.terminal import output

_MOST_CODES = 8
_SHORTEST_WORD = 3
SCHEMAS = (
    *("job", "targets", "process", "catalog", "report", "event"),
    *("validate", "list", "runs", "history", "diff", "apply", "status", "doctor", "ready", "catalog-diff", "explain"),
)


@click.command("explain", cls=Verb)
@click.argument("codes", nargs=-1, metavar="[CODE]…")
@options.form()
def explain(context: click.Context) -> int:
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
        explained: list[Json] = [asdict(explanation(code)) for code in codes or titles()]
        output.data(json_document({"format": 1, "codes": explained}), for_programs=True)
    else:
        text = "\n\n".join(as_text(explanation(code)).rstrip() for code in codes) if codes else _list()
        output.data(f"{text}\n")
    return ExitCode.PASSED


def _list() -> str:
    parts = ("\n".join([f"{words}:", *(f"  {code}  {titles()[code]}" for code in codes)]) for words, codes in grouped())
    return "\n\n".join(parts)


def _known(written: str) -> str:
    """The code: `e104` and `104` are E104. Raises `UsageError` where there is none."""
    code = written.strip().upper().removeprefix("ERROR").strip("[]: ")
    code = f"E{code}" if code.isdigit() else code
    if code in titles():
        return code
    raise UsageError(Problem(code="E150", message=f"there is no code `{safe(written)}`", hint=_hint(written, code)))


def _hint(written: str, code: str) -> str:
    """Near codes: by a word of their titles, or by their first digits."""
    word = written.strip().casefold()
    near = [known for known, title in titles().items() if len(word) >= _SHORTEST_WORD and word in title.casefold()]
    near = near or [known for known in titles() if len(code) >= _SHORTEST_WORD and known.startswith(code[:3])]
    near = near or [*filter(None, [suggest(code, titles())])]
    listed = ", ".join(f"{known} ({titles()[known]})" for known in near[:_MOST_CODES])
    return f"{f'near are {listed}; ' if near else ''}`runner explain` lists all codes"


@click.command("schema", cls=Verb)
@click.argument("name", type=hints.OneWord(SCHEMAS), default="job")
@options.option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    help="The schema of jobs for one site: it knows the processes of this catalogue, and their parameters.",
)
def schema(context: click.Context) -> int:
    r"""Print the JSON Schema of NAME: job files, targets, doubles of processes, catalogues; for programs, JSON reports,
    events, and what `validate`, `list`, `runs`, `history`, `diff`, `apply`, `status`, `doctor`, `ready`, `catalog diff`
    (and `check`) and `explain` print with `--format json`.

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
    from runner.project.catalogue_files import read_file  # noqa: PLC0415

    if name != "job":
        raise UsageError(Problem(code="E150", message=f"`--catalog` is for the schema `job` only, not for `{name}`"))
    catalogue = read_file(file, warn=output.problems)
    return json.dumps(specialised(json.loads(_schema_text("job")), catalogue), ensure_ascii=True, indent=1) + "\n"


@click.command("sandbox", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("sandbox"))
@options.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@options.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free port.")
@options.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="Store what happens in this file.")
@options.option(
    "--page-size", metavar="N", help="Records in one reply of OData, 20000 if not given; more come page by page."
)
def sandbox(context: click.Context) -> int:
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
    _check_doubles(given["folder"])
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
    what_ends_it = "Ctrl-C ends it; start it again after a change of its files"
    output.MessageStream("stdout").write(f"serving at {url} ({what_ends_it})\n")


def _check_doubles(folder: Path) -> None:
    """Warn where nothing is to be served. Raise `UsageError` where a folder below holds doubles."""
    if not folder.is_dir() or holds_doubles(folder) or (folder / RECORDS).exists():
        return
    below = next((path for path in sorted(folder.iterdir()) if path.is_dir() and holds_doubles(path)), None)
    message = f"there is no {DOUBLES} in {clean(str(folder))}"
    if below is None:
        hint = "name the folder of the doubles; this sandbox has no process"
        output.problems(Problem(code="E100", message=message, hint=hint, severity=Severity.WARNING))
    else:
        raise UsageError(Problem(code="E100", message=message, hint=f"did you mean `{clean(str(below))}`?"))


@click.command("init", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@options.option(
    "--deploy",
    type=hints.OneWord(DEPLOY_KINDS),
    help="Write files that carry out the jobs in FOLDER there: in a cluster, in a CI, or on one machine.",
)
@options.targets(
    "With --deploy: a site that workers serve; several times: each has workers of its own. Without it all sites "
    "in targets.yaml."
)
@options.option(
    "--image",
    metavar="NAME",
    help="With --deploy: what the container's image is called. [default: ghcr.io/OWNER/creatio-runner]",
)
@options.option(
    "--db-secret",
    metavar="NAME",
    help="With --deploy: the Secret of Kubernetes with the database's address. [default: creatio-runner-db]",
)
def init(context: click.Context) -> int:
    r"""Start a project in FOLDER, the current folder without it: a job, targets, a double of a process, JSON Schemas
    for editors, and entries for VS Code, pre-commit, GitHub and git.

    With --deploy, write what carries out the jobs in FOLDER: files for Kubernetes, Argo CD or Flux
    with the workers of a fleet, a workflow for GitHub, a template for GitLab, a pipeline for Azure, Docker Compose,
    or a timer of systemd and a line for cron. What is left to do is printed.

    \b
    Examples:
      runner init smoke && runner run smoke
      runner init specs --deploy github
      runner init specs --deploy argocd -t staging --image registry.example.com/creatio-runner

    No file that is there already is written over: where it is the job, the targets, the double or a schema, nothing is
    written at all, and the exit code is 2. Files for other tools are left as they are, and named; to a .gitignore a
    line is added.
    """
    given = context.params
    folder: Path = given["folder"]
    whole = folder.resolve()
    here = Path.cwd()
    otherwise = here if whole.is_relative_to(here) and given["deploy"] is not None else whole
    root = next((above for above in (whole, *whole.parents) if (above / ".git").exists()), otherwise)
    if given["deploy"] is not None:
        from runner.scaffold.deploy import deploy  # noqa: PLC0415  90 ms: it reads the jobs

        image, secret = given["image"], given["db_secret"]
        deploy(given["deploy"], folder, root=root, only=given["target"], image=image, secret=secret)
        return ExitCode.PASSED
    _refuse_options_of_deploy(context)
    _start_project(folder, root=root)
    return ExitCode.PASSED


def _start_project(folder: Path, *, root: Path) -> None:
    """`root` is the checkout's."""
    from runner.scaffold.new_project import AT_THE_ROOT, project_files  # noqa: PLC0415  6 ms, for `init` only

    whole = folder.resolve()
    called = whole.relative_to(root).as_posix()
    write_files(list(project_files(folder, called=called)))
    if root != whole:
        names = " and ".join(AT_THE_ROOT)
        output.data(f"\n{names} count only at the root of the checkout: move them to {safe(str(root))}\n")
    output.data(f"\nnext: runner run {safe(shell_word(str(folder)))}\n")


def _refuse_options_of_deploy(context: click.Context) -> None:
    """Raise `UsageError` for an option that somebody has typed, and that is for `--deploy` only."""
    for name, option in (("target", "--target"), ("image", "--image"), ("db_secret", "--db-secret")):
        if context.params[name] and is_typed(context, name):
            hint = f"add `--deploy KIND`: {', '.join(DEPLOY_KINDS)}"
            raise UsageError(Problem(code="E150", message=f"`{option}` is for `--deploy` only", hint=hint))
