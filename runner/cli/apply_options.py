"""The options of `runner apply` alone, and what does not go together of them."""

import os
from typing import Final

import click

from runner.cli import hints, options
from runner.cli.reports import ReportPlaces
from runner.cli.verb import EnvOption, refuse_beside_db, typed_names
from runner.execution import stored_plans
from runner.foundation.problems import Problem, UsageError

_HERE: Final = ("ledger", "runs", "jobs", "fail_fast", "hold", "wait_lock", "wait_ready", "grace")
"""Options of whoever carries runs out."""


class FilledOption(EnvOption):
    """An option without which other runs are carried out: its variable must not be empty, which elsewhere is none."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        if os.environ.get(str(self.envvar)) == "":
            message = f"the environment variable `{self.envvar}` is empty; set it, or remove it"
            raise click.BadParameter(message, ctx, self)
        return super().resolve_envvar_value(ctx)


OPTIONS: Final = options.together(
    options.option(
        "--dry-run",
        is_flag=True,
        help="Print what would be done; send nothing, and write nothing down. Exit 0, whatever failed before.",
    ),
    options.option(
        "--wait",
        metavar="DURATION",
        help="Wait up to this long for versions that another command runs now; without this option they are exit 3. "
        "With --db, wait for all versions; without this option the exit code is 0 as soon as they are queued.",
    ),
    options.option(
        "--retry",
        type=hints.OneWord(["failed", "refused"]),
        help="Carry out once more what ended and did not pass, or with `refused` only what was refused before it "
        "began; what is unknown is never repeated.",
    ),
    options.option(
        "--for",
        "key",
        cls=FilledOption,
        envvar="CREATIO_RUNNER_APPLY_FOR",
        metavar="KEY",
        help="Make this text, such as a release, part of each version: all are carried out once for it. Its variable "
        "is CREATIO_RUNNER_APPLY_FOR.",
    ),
    options.option(
        "--every",
        cls=FilledOption,
        envvar="CREATIO_RUNNER_APPLY_EVERY",
        metavar="DURATION",
        help="Carry each version out once in each stretch of this length, `24h`, counted in UTC. Its variable is "
        "CREATIO_RUNNER_APPLY_EVERY.",
    ),
    options.option("--in-order", is_flag=True, help="Let each job wait until the job before it has passed."),
    options.typed_option("--adopt", is_flag=True, help="Mark the versions as done without running them; send nothing."),
    options.option(
        "--prune",
        is_flag=True,
        help="Do not list jobs any more whose files are deleted; the ledger keeps what they did.",
    ),
    options.option(
        "--ledger",
        metavar="FILE",
        help="The file that holds which versions were applied. [default: .runner/ledger beside targets.yaml]",
    ),
    options.option(
        "--db",
        "dsn",
        metavar="URL",
        help="Queue the versions in the PostgreSQL database of a fleet, whose workers carry them out; the ledger is "
        "there, too: `postgresql://HOST/NAME`, or as libpq takes it.",
    ),
    options.option(
        "--fleet",
        metavar="NAME",
        type=str,
        default="",
        help="With --db, the name of the ledger: repositories that share a database have one each.",
    ),
)


def check_options(context: click.Context, places: ReportPlaces) -> None:
    given = context.params
    if given["form"] == "json" and places.use_stdout:
        message = "`--format json` and a report both go to stdout"
        raise UsageError(Problem(code="E150", message=message, hint="write the report into a file"))
    if any(map(stored_plans.is_plan, given["specs"])):
        hint = "`runner run` carries a stored plan out, once"
        raise UsageError(Problem(code="E150", message="`apply` takes job files, not stored plans", hint=hint))
    _check_reports(context)
    for first, second in (("key", "every"), ("adopt", "dry_run"), ("adopt", "retry")):
        if given[first] and given[second]:
            names = {"key": "for", "dry_run": "dry-run"}
            message = f"`--{names.get(first, first)}` and `--{names.get(second, second)}` do not go together"
            raise UsageError(Problem(code="E150", message=message, hint="choose one of them"))


def _check_reports(context: click.Context) -> None:
    """A report that a variable asks for is left out where nothing is carried out."""
    typed = sorted(name for name in typed_names(context) if name.startswith("report_") and name != "report_values")
    if context.params["dry_run"] and typed:
        message = f"`--dry-run` carries nothing out, so `--{typed[0].replace('_', '-')}` has nothing to report"
        hint = "leave it out; `--dry-run --format json` prints what would be done as JSON"
        raise UsageError(Problem(code="E150", message=message, hint=hint))


def fleet_dsn(context: click.Context) -> str | None:
    """The database of the fleet that is to carry the versions out; None where this command does. What is typed counts
    more than a variable.

    Raises `UsageError` where options do not go together, and where the libraries of a fleet are not installed.
    """
    dsn: str | None = context.params["dsn"]
    typed = typed_names(context)
    here = [name for name in typed if name in _HERE]
    if dsn is None or ("dsn" not in typed and {*here} & {"ledger", "runs"}):
        if "fleet" in typed:
            hint = "name the database with `--db`"
            raise UsageError(Problem(code="E150", message="`--fleet` names a ledger in a database", hint=hint))
        return None
    because, hint = "its workers carry the runs out", "leave out `{}`, or `--db`"
    refuse_beside_db(context, here, because=because, hint=hint)
    options.check_fleet_library()
    return dsn
