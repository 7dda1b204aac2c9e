"""`runner history` and `runner diff`: what each step did over the last runs of a job, and what differs between two."""

from collections.abc import Sequence
from pathlib import Path

import click

from runner.cli import options
from runner.cli.nearby import named_run, run_before, say_where_others_are, warn_of_damage
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.foundation.sentences import many
from runner.foundation.suggestions import suggest
from runner.planning import snapshot
from runner.project.paths import refused_by_system
from runner.reading.files import read_bytes
from runner.reports import diff as differences
from runner.reports.changes import ComparedRun
from runner.reports.history import as_json, grouped, text
from runner.reports.safe import clean
from runner.runs.history import PastRun, bounded, past_runs, written
from runner.runs.store import RunStore
from runner.runs.stored_runs import StoredRun, readable, refused_as
from runner.terminal import output

_LARGEST = 1 << 24


@click.command("history", cls=Verb)
@click.argument("name", required=False, metavar="[JOB[CASE][@TARGET]]")
@options.option("-n", "--limit", metavar="N", default=20, show_default=True, help="The N newest of a name.")
@options.option(
    "--file",
    metavar="FILE",
    type=options.NamedFile("`runner history {}` names a job"),
    help="Read this history, such as another machine's `.runner/history.jsonl`.",
)
@options.option("--rebuild", is_flag=True, help="Read all stored runs, and write the history of them anew, first.")
@options.RUNS
@options.DB
@options.form()
def history(context: click.Context) -> int:
    r"""Show what each step did over the last runs of a job: how often it passed, at a later attempt only, how long it
    took, when it failed last.

    \b
    Examples:
      runner history
      runner history contact-smoke@staging
      runner history "billing[new]" -n 50 --format json

    Each run that ends, or is settled, adds a line without any value to `.runner/history.jsonl`. The newest 100 of a
    name are left there when the runs are pruned; all of it has at most 8 MiB.

    Exit 0, or 2 where there is no run of this name.
    """
    given = context.params
    store: RunStore = given["runs"]
    if given["rebuild"]:
        if given["file"] is not None:
            message = "`--rebuild` writes the history of the stored runs, and `--file` reads another"
            raise UsageError(Problem(code="E150", message=message, hint="leave one of them out"))
        output.say(f"{many(_rebuilt(store), 'run')} read")
    runs = past_runs(_content(store, given["file"]))
    if given["name"] is not None:
        runs = _named(given["name"], runs)
    histories = grouped(runs, newest=given["limit"])
    is_json = given["form"] == "json"
    if is_json or histories:
        output.data(as_json(histories) if is_json else text(histories), for_programs=is_json)
    else:
        output.data("no history yet: each run that ends adds to it, and `--rebuild` reads the stored runs\n")
    if given["file"] is None:
        say_where_others_are(context, "history")
    return ExitCode.PASSED


def _content(store: RunStore, file: Path | None) -> bytes:
    if file is None:
        with refused_as("the history cannot be read"):
            return store.history()
    with refused_by_system(f"the history {clean(str(file))} cannot be read", code="E100"):
        return read_bytes(file, most=_LARGEST)


def _named(name: str, runs: Sequence[PastRun]) -> list[PastRun]:
    """The runs of a job, of a case of it, or of either at a target. Raises `UsageError` where there is none."""
    found = [run for run in runs if name in _names(run)]
    if not found:
        known = sorted({other for run in runs for other in _names(run)})
        near = suggest(name, known)
        hint = f"did you mean `{clean(near)}`?" if near else "`runner history` lists all names"
        raise UsageError(Problem(code="E152", message=f"there is no run of `{clean(name)}` in the history", hint=hint))
    return found


def _names(run: PastRun) -> tuple[str, ...]:
    return run.title, run.job_and_case, run.job, f"{run.job}@{run.target}"


def _rebuilt(store: RunStore) -> int:
    """Put a line for each stored run into the history, in the place of its earlier line; how many runs that were.

    A run that is under way gets its line when it ends; a run that cannot be read has none. A line that another process
    adds meanwhile is newer than what is read here.
    """
    before = _content(store, None)
    lines: list[bytes] = []
    for name in store.runs():
        run = readable(store, name)
        if run is not None and run.result.job and not run.is_running:
            lines.append(written(run.result))
    if lines:
        added = b"".join(line + b"\n" for line in lines)

        def with_added(content: bytes) -> bytes:
            at = len(before) if content.startswith(before) else 0
            return bounded(content[:at] + b"\n" + added + content[at:])

        with refused_as("the history cannot be written"):
            store.change_history(with_added)
    return len(lines)


@click.command("diff", cls=Verb)
@click.argument("first", metavar="RUN1")
@click.argument("second", metavar="[RUN2]", required=False)
@options.RUNS
@options.DB
@options.form()
def diff(context: click.Context) -> int:
    r"""Show what differs between two runs: `last`, a run's id, or a unique prefix of it. RUN1 alone is compared with
    the run of the same job, case and target before it.

    First comes what changed before the site answered: the job's files, the inputs, the calls of which steps. Then
    status, job, target, commit and inputs; of each row how it ended and why, its proof, its attempts, what was sent,
    its result by path. Ids that stand for one another everywhere, and moments, are the same. Times that differ by more
    than 25 % and 100 ms are shown, and are no difference either.

    \b
    Examples:
      runner diff last
      runner diff 0194d2a0 last
      runner diff 0194d2a0 last --format json | jq .changed

    Exit 0 where nothing differs, 1 where something does, 2 for a run that cannot be compared.
    """
    given = context.params
    last = named_run(context, given["second"] or given["first"])
    first = named_run(context, given["first"]) if given["second"] else run_before(context, last)
    found = differences.compare(_compared(first), _compared(last))
    is_json = given["form"] == "json"
    output.data(differences.as_json(found) if is_json else differences.text(found), for_programs=is_json)
    return ExitCode.PASSED if found.is_same else ExitCode.FAILED


def _compared(run: StoredRun) -> ComparedRun:
    if run.is_running:
        hint = f"wait until it has ended; `runner show {run.id}` shows how far it is"
        raise UsageError(Problem(code="E156", message=f"run {run.id} is under way", hint=hint))
    warn_of_damage(run)
    found = snapshot.read(run.store, run.id)
    files = {} if isinstance(found, Problem) else found.plan.sources
    return ComparedRun(result=run.result, lines=run.lines, files=files)
