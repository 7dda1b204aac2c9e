"""`runner plan`: what runs would send, printed and stored."""

import os
from collections.abc import Sequence
from pathlib import Path

import click
import uuid_utils
from msgspec.structs import replace

from runner.cli import options, reports
from runner.cli.command import wanted
from runner.cli.verb import Verb
from runner.execution.prepare import prepare
from runner.execution.run_spec import RunSpec
from runner.foundation import whole_files
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError
from runner.foundation.shell_words import shell_word
from runner.planning import plan_file
from runner.planning.guards import not_allowed
from runner.planning.plan import Plan
from runner.planning.preview import preview
from runner.project.named_targets import name_of
from runner.project.paths import refused_by_system
from runner.reports import mistakes
from runner.reports.safe import safe
from runner.terminal import output

_ONCE = (
    "it is carried out once by one user on one machine; another machine knows only what `.runner/` says:"
    " in CI, keep that folder between the jobs"
)


@click.command("plan", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.SELECTION
@options.CHANGED_SINCE
@options.ALLOW_EMPTY
@options.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Store the plan in this file; `runner run FILE` carries out exactly that.",
)
def plan_runs(context: click.Context) -> int:
    r"""Print what `runner run` would send: what is known is filled in, the rest is shown as its source in ⟨ ⟩.

    \b
    Examples:
      runner plan specs/contact-smoke.job.yaml -i phone="+1 202 555 0100"
      runner plan specs -t staging --out release.plan.json

    A stored plan holds the text of all its files and no secret: those are given anew when it is carried out.

    Exit 0, 2 for a mistake in a file or on the command line, 5 where nothing was selected, 6 where a target does not
    allow it.
    """
    out: Path | None = context.params["out"]
    if out is not None:
        if str(out) == reports.STDOUT:
            hint = "name a file, as in `--out release.plan.json`"
            raise UsageError(Problem(code="E150", message="a plan is stored in a file, and `-` is none", hint=hint))
        problem = reports.overwrites(out, what="the plan", mark=plan_file.MARK, read=reports.read_by(context))
        if problem is not None:
            raise UsageError(problem)
    run_set = prepare(replace(wanted(context), sends_nothing=True))
    output.say_lines(mistakes.text(run_set.warnings) + run_set.not_read)
    if not run_set.runs:
        output.say(run_set.nothing)
        return ExitCode.PASSED if context.params["allow_empty"] else ExitCode.NOTHING_SELECTED
    if refused := not_allowed((spec.job, spec.target) for spec in run_set.runs):
        raise RefusedError(*refused)
    plans = [_with_all_inputs(spec).plan(name_of(spec.target)) for spec in run_set.runs]
    output.data("\n".join("".join(f"{safe(line)}\n" for line in preview(plan)) for plan in plans))
    output.say_lines(run_set.unchecked)
    if out is not None:
        _store(plans, out)
    return ExitCode.PASSED


def _with_all_inputs(spec: RunSpec) -> RunSpec:
    """A secret that nobody gave counts for the digest as any other: it is never shown."""
    secret = {declared.name: "***" for declared in spec.job.inputs if declared.secret}
    return replace(spec, inputs={**secret, **spec.inputs})


def _store(plans: Sequence[Plan], file: Path) -> None:
    content = plan_file.plan_file_text(plans, key=str(uuid_utils.uuid7()), base=_base(file))
    with refused_by_system(f"the plan {file} cannot be written"):
        whole_files.write_text(file, content)
    output.say(f"stored in {file}; carry it out with: runner run {shell_word(str(file))}")
    output.say(_ONCE)


def _base(file: Path) -> str:
    """The way from the folder of a plan up to the current folder; empty where that is not above."""
    folder, here = Path(os.path.realpath(file)).parent, Path.cwd().resolve()
    return "/".join(".." for _ in folder.relative_to(here).parts) if folder.is_relative_to(here) else ""
