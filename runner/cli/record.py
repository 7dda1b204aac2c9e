"""`runner record`: from a run that happened on a site, a double of the process and a job that calls it."""

import os
import time
from dataclasses import replace
from pathlib import Path

import click

from runner.catalogue.doubles import NewDouble
from runner.catalogue.pulling import NoAnswerError
from runner.cli import options, output
from runner.cli.catalogues import chosen
from runner.cli.double_files import codes_in, create, place_of
from runner.cli.known_targets import KnownTarget
from runner.cli.serving import sandbox
from runner.cli.verb import Verb
from runner.foundation.guids import is_guid
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.project.paths import called
from runner.project.sites import Sites
from runner.reading.files import read_text
from runner.recording.double import double, invented
from runner.recording.job import job, name
from runner.recording.kept_calls import known
from runner.recording.model import Recorded
from runner.recording.reading import Happened, read_run, recorded
from runner.reports import mistakes
from runner.runs.store import RunStore
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget


@click.command("record", cls=Verb)
@click.argument("process_id", metavar="PROCESS_ID", type=options.Filled())
@options.option("-t", "--target", "target", metavar="NAME", type=options.Filled(), help="The site on which it ran.")
@options.TARGETS
@options.option("--out", metavar="FOLDER", type=options.FilledPath(), required=True, help="The folder of the sandbox.")
@options.option(
    "--job-out",
    "job_file",
    metavar="FILE",
    type=options.FilledPath(),
    help="Write the job here, not beside FOLDER.",
)
@options.option(
    "--keep-values", is_flag=True, help="Write the values as they were, not invented ones: they may be of real people."
)
@options.RUNS
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Write down what one run of a process did: a double of it in FOLDER, and a job that calls it beside FOLDER. The
    id is that of its row in the process log. The site is only read.

    The log tells how it ended, the log of elements which way it took, the library what it takes and gives. What it was
    given and what it gave is known only where a run that is kept here has started it. What could not be seen stands in
    the files as a comment. Values are replaced by invented ones of the same types. Nothing is ever written over.

    \b
    Examples:
      runner record 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11 -t staging --out specs/sandbox
      runner run specs/recorded-usraddtours.job.yaml -t sandbox

    Exit 0, 1 where the process log has no such process, 2 for a mistake in a file or on the command line, or a file
    that is there already, 3 where the site does not answer.
    """
    given = context.params
    process_id, out = _guid(given["process_id"]), given["out"]
    around = next((folder for folder in (out, out.parent) if folder.is_dir()), None)
    target = chosen(given["target"], (around,) if around else (), given["targets"])
    if isinstance(target.target, SandboxTarget):
        raise UsageError(_starts_afresh(target))
    secrets = Secrets()
    try:
        run = _read(target, process_id, given["runs"], secrets)
    except NoAnswerError as error:
        trouble = error.trouble
        hint = trouble.hint and secrets.mask(trouble.hint)
        return _say(Problem(code=trouble.code, message=secrets.mask(trouble.message), hint=hint), ExitCode.NO_ANSWER)
    if isinstance(run, Problem):
        return _say(run, ExitCode.FAILED)
    written = run if given["keep_values"] else invented(run)
    _write(written, out, given["job_file"])
    for sentence in run.unseen:
        output.say(f"not seen: {secrets.mask(sentence)}")
    if written.error and not given["keep_values"]:
        output.say("read the text of its failure before you commit it: only what looks like data was replaced in it")
    return ExitCode.PASSED


def _guid(text: str) -> str:
    if not is_guid(text):
        hint = "it is the `Id` of a row of the process log; a report has it as `process_id`"
        raise UsageError(Problem(code="E150", message=f"`{text}` is no id of a process", hint=hint))
    return text.lower()


def _starts_afresh(target: KnownTarget) -> Problem:
    message = f"target `{target.target.name}` is a sandbox that starts afresh: it holds no run that could be recorded"
    hint = "serve it with `runner sandbox FOLDER`, and name its address as the `url` of a target"
    return Problem(code="E169", message=message, hint=hint)


def _read(target: KnownTarget, process_id: str, runs: RunStore, secrets: Secrets) -> Recorded | Problem:
    """What could be seen of it, or why nothing. Raises `NoAnswerError`, and `UsageError` for a target."""
    with Sites(serve=sandbox, environment=os.environ, read_file=read_text) as sites:
        ready = sites.of(target.target)
        ready.hide_in(secrets)
        happened = read_run(ready.client, process_id, wait=time.sleep)
        error = secrets.mask(happened.error) if happened and happened.error else None
    if happened is None:
        message = f"the process log of target `{target.target.name}` has no process {process_id}"
        hint = "it shows only what the user may read, and finished processes are archived after some weeks"
        return Problem(code="E225", message=message, hint=hint)
    elements = [key for one in happened.way for key in (one.id, one.uid) if key is not None]
    found = known(runs, process_id, elements)
    if happened.process is None:
        return _of_no_process(happened)
    return recorded(replace(happened, error=error), happened.process, found)


def _of_no_process(happened: Happened) -> Problem:
    message = f"the site does not tell which process {happened.id} is of"
    why = "; ".join(happened.unseen)
    return Problem(code="E225", message=message, hint=why or "the user needs the right to read VwProcessLib")


def _write(run: Recorded, out: Path, job_file: Path | None) -> None:
    """All files, or none. Raises `UsageError`."""
    files = double(run)
    place = job_file or out.parent / f"{name(run)}.job.yaml"
    there = codes_in(out)
    taken = [there[one.code] for one in files if one.code in there]
    taken += [path for one in files if (path := _path(one, out)).exists() and path not in taken]
    taken += [place] if place.exists() else []
    if taken:
        raise UsageError(*map(_there_already, taken))
    for one in files:
        create(_path(one, out), one.text)
    create(place, job(run))


def _path(one: NewDouble, out: Path) -> Path:
    path = place_of(one, out)
    if path is None:
        raise UsageError(Problem(code="E153", message=f"`{one.code}` is a code that no file can have"))
    return path


def _there_already(path: Path) -> Problem:
    message = f"{called(path)} is there already, and nothing is written over"
    hint = "move it away, or choose another place with `--out` and `--job-out`"
    return Problem(code="E153", message=message, hint=hint)


def _say(problem: Problem, code: ExitCode) -> int:
    output.say_lines(mistakes.text([problem]))
    return code
