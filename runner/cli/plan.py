"""`runner plan`: prints what would be sent; sends nothing, starts nothing, reads no secret of a target."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import uuid_utils

from runner.cli import options, output, reports
from runner.cli.prepared import RunSpec, wanted
from runner.cli.preparing import prepare
from runner.cli.targets import name_of
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.planning import plan_file
from runner.planning.plan import ATTEMPT_SECONDS, Plan, plan
from runner.planning.preview import preview
from runner.reports import mistakes
from runner.reports.safe import safe
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget


@click.command("plan", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.TARGET
@options.TARGETS
@options.CATALOG
@options.INPUTS
@options.INPUTS_FILE
@options.TAGS
@options.KEYWORD
@options.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Keep the plan in this file; `runner run FILE` carries out exactly that.",
)
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Print what `runner run` would send: what is known is worked out, the rest stands as its source in ⟨ ⟩.

    \b
    Examples:
      runner plan specs/contact-smoke.job.yaml -i phone="+1 202 555 0100"
      runner plan specs -t staging --out release.plan.json

    A plan that is kept holds the text of all its files and no secret: those come anew when it is carried out.

    Exit 0, 2 for a mistake in a file or on the command line, 5 where nothing was selected.
    """
    _check_place(context)
    preparation = prepare(wanted(context))
    output.say_lines(mistakes.text(preparation.warnings) + preparation.left_below)
    if not preparation.runs:
        output.say(preparation.nothing)
        return ExitCode.NOTHING_SELECTED
    plans = [planned(prepared) for prepared in preparation.runs]
    output.data("\n".join("".join(f"{safe(line)}\n" for line in preview(plan)) for plan in plans))
    if context.params["out"] is not None:
        _keep(plans, context.params["out"])
    return ExitCode.PASSED


def planned(prepared: RunSpec) -> Plan:
    """The plan of a run whose target has not been made ready: its templates stand as they are written."""
    target = prepared.target
    made = plan(
        prepared.job,
        sources=prepared.sources,
        inputs=prepared.inputs,
        target=name_of(target),
        secrets=Secrets(),
        case=prepared.chosen_case,
    )
    timeout = (None if isinstance(target, SandboxTarget) else target.timeout) or ATTEMPT_SECONDS
    return replace(made, timeout=timeout, elements=prepared.elements)


def _check_place(context: click.Context) -> None:
    """See that the plan is written over nothing but a plan of before. Raises `UsageError`."""
    out: Path | None = context.params["out"]
    if out is None:
        return
    mistake = reports.overwrites(out, what="the plan", mark=plan_file.MARK, read=reports.read_by(context))
    if mistake is not None:
        raise UsageError(mistake)


def _keep(plans: Sequence[Plan], file: Path) -> None:
    try:
        file.write_text(
            plan_file.written(plans, key=str(uuid_utils.uuid7()), base=_base(file)), encoding="utf-8", newline="\n"
        )
    except OSError as error:
        message = f"the plan {file} cannot be written: {error.strerror or error}"
        raise UsageError(Problem(code="E153", message=message)) from error
    output.say(f"kept in {file}; carry it out with: runner run {shlex.quote(str(file))}")


def _base(file: Path) -> str:
    """The way from the folder of a plan up to the current one; empty where that is not above, so that nothing else is
    told of where the plan was made.
    """
    folder, here = Path(os.path.realpath(file)).parent, Path.cwd().resolve()
    return "/".join(".." for _ in folder.relative_to(here).parts) if folder.is_relative_to(here) else ""
