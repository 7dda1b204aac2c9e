"""`runner explain` and `runner schema`: what an error code means, and the JSON Schemas for an editor."""

import json
from pathlib import Path

import click

from runner.catalogue.editor import specialised
from runner.cli import options, output
from runner.cli.verb import Verb
from runner.explanations.groups import grouped
from runner.explanations.read import as_json, as_text, explanation
from runner.foundation.problems import CODES, ExitCode, Problem, UsageError
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json
from runner.json_schema.schemas import shipped_text
from runner.reports.safe import json_document, safe

_FORMAT = 1
_MOST_CODES = 8
_SHORTEST_WORD = 3
SCHEMAS = ("job", "targets", "process", "catalog", "report", "event")


@click.command("explain", cls=Verb)
@click.argument("codes", nargs=-1, metavar="[CODE]…")
@options.form()
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
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
@click.argument("name", type=click.Choice(SCHEMAS), default="job")
@options.option(
    "--catalog",
    "catalogue",
    metavar="FILE",
    type=options.FilledPath(),
    help="The schema of jobs for one site: it knows the processes of this catalogue, and their parameters.",
)
@click.pass_context
def schema(context: click.Context, /, **_: object) -> int:
    r"""Print the JSON Schema of NAME: job files, targets, doubles of processes, catalogues, JSON reports, events.

    \b
    Examples:
      runner schema job > job.schema.json
      runner schema job --catalog specs/staging.catalog.yaml > staging.schema.json

    In an editor with the YAML language server, the first line of a job names its schema:
    `# yaml-language-server: $schema=staging.schema.json`.
    """
    name, file = context.params["name"], context.params["catalogue"]
    output.data(shipped_text(name) if file is None else _for_a_site(name, file), for_programs=True)
    return ExitCode.PASSED


def _for_a_site(name: str, file: Path) -> str:
    from runner.cli.catalogue_files import read_file  # noqa: PLC0415  30 ms, only for a schema of a site

    if name != "job":
        message = f"`--catalog` is for the schema `job` only, not for `{name}`"
        raise UsageError(Problem(code="E150", message=message))
    return json.dumps(specialised(json.loads(shipped_text("job")), read_file(file)), ensure_ascii=True, indent=1) + "\n"
