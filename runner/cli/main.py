"""The command `runner`: a table of verbs, and the only place that turns an exception into an exit code.

Only the module of the chosen verb is imported: `runner validate` never pays for a web server.
"""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module

import click

from runner.cli import hints
from runner.cli.hints import PREFIX
from runner.cli.verb import Helped, Option
from runner.foundation.problems import ExitCode, Problem, RefusedError, SiteSilentError, UsageError
from runner.foundation.values import is_well_formed
from runner.reports.mistakes import text as as_text
from runner.reports.safe import clean
from runner.terminal import output
from runner.version import VERSION

VERBS = {
    "run": ("runner.cli.run:run", "Carry jobs out and report what happened."),
    "apply": ("runner.cli.apply:apply", "Carry out what is new or changed, each version once."),
    "resume": ("runner.cli.resume:resume", "Go on with a run that broke off."),
    "rerun": ("runner.cli.rerun:rerun", "Carry out once more what a run did."),
    "reconcile": ("runner.cli.resume:reconcile", "Ask the process log again about calls in doubt."),
    "plan": ("runner.cli.plan:plan_runs", "Print what would be sent; send nothing."),
    "validate": ("runner.cli.validate:validate", "Check job, target and sandbox files."),
    "list": ("runner.cli.validate:list_jobs", "List jobs with their tags and inputs."),
    "report": ("runner.cli.show:report", "Write any report of a run again."),
    "show": ("runner.cli.show:show", "Show what happened in a run."),
    "runs": ("runner.cli.runs:runs", "List the stored runs."),
    "diff": ("runner.cli.show:diff", "Show what differs between two runs."),
    "history": ("runner.cli.runs:history", "Show what each step did over the last runs of a job."),
    "status": ("runner.cli.fleet:status", "Show what a fleet does, and what it needs a person for."),
    "worker": ("runner.cli.worker:worker", "Carry out the runs of a fleet."),
    "stop": ("runner.cli.fleet:stop", "Stop a run of a fleet."),
    "pull": ("runner.cli.fleet:pull", "Copy a run of a fleet into the folder of runs."),
    "fleet": ("runner.cli.fleet:fleet", "Make the tables of a fleet, and delete its old runs."),
    "sandbox": ("runner.cli.shipped:sandbox", "Serve the stand-in of the service."),
    "catalog": ("runner.cli.catalog:catalog", "Know what a site has, and what packages in git hold."),
    "record": ("runner.cli.site:record", "Write a double and a job from a run that happened."),
    "ready": ("runner.cli.ready:ready", "Wait until a site is ready, as after a deployment."),
    "doctor": ("runner.cli.site:doctor", "Check the way to a site step by step."),
    "init": ("runner.cli.shipped:init", "Start a project, or write files for a cluster or a CI."),
    "schema": ("runner.cli.shipped:schema", "Print a JSON Schema for an editor."),
    "explain": ("runner.cli.shipped:explain", "Explain an error code, with examples."),
}
"""Where the command of each verb is, and what it does."""


def load(verb: str) -> click.Command:
    module, _, name = VERBS[verb][0].partition(":")
    command: click.Command = getattr(import_module(module), name)
    return _with_breaks(command)


def _with_breaks(command: click.Command) -> click.Command:
    r"""Keep the lines of a paragraph of help apart that begins with `\b`: for click that is a single character, which
    cannot be written in a raw docstring.
    """
    command.help = (command.help or "").replace("\\b", "\b")
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _with_breaks(inner)
    return command


class Verbs(Helped, click.Group):
    """The table of verbs as click wants it: names and short texts without importing anything."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        gc.disable()  # as at the entry, which a caller in Python does not come by: 6 ms of a start
        command = load(cmd_name)
        gc.freeze()
        gc.set_threshold(10_000)  # of what a run makes next to nothing is garbage: 1 % of a resumption
        gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(name, short) for name, (_, short) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            raise UsageError(hints.unknown_verb(name, args[1:], list(VERBS)))
        return super().resolve_command(ctx, args)


def _show_version(context: click.Context, option: click.Parameter, value: object) -> None:
    del option
    if value and not context.resilient_parsing:
        output.data(f"runner, version {VERSION}\n")
        context.exit()


@click.command(cls=Verbs)
@click.option(
    "--version",
    cls=Option,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def runner() -> None:
    r"""Run Creatio business processes from job files, and report what happened.

    \b
      runner run specs            carry out every job in a folder
      runner validate specs       check them; nothing is sent
      runner plan specs -t test   see what would be sent

    Data goes to stdout, messages to stderr. Every option can be set by an environment variable, CREATIO_RUNNER_… in
    capitals, but for --yes, --confirm, --again, --adopt, --even-though, --step, --as and --result; an input by
    CREATIO_RUNNER_INPUT_NAME.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    sys.exit(ended(sys.argv[1:] if arguments is None else arguments))


def ended(arguments: Sequence[str]) -> int:
    """Carry out a command line; its exit code. A fault of ours is exit 70, with a log file."""
    try:
        output.begin()
        check_encoding(arguments, os.environ)
        _check_folder()
        code = _with_breaks(runner).main(args=list(arguments), prog_name="runner", standalone_mode=False)
        return _unless_data_is_lost(code if isinstance(code, int) else ExitCode.PASSED)
    except click.exceptions.NoArgsIsHelpError as error:
        output.say_lines(f"{error.message}\n")
        return ExitCode.INVALID
    except (click.Abort, KeyboardInterrupt):
        problem = Problem(code="E312", message="interrupted before any run began")
        return _unstarted(arguments, ExitCode.INTERRUPTED, problem)
    except Exception as error:  # noqa: BLE001  the only place where a fault of ours ends
        code, problems = _broken_off(error)
        notes = getattr(error, "__notes__", ()) if isinstance(error, UsageError) else ()
        output.say_lines(as_text(problems) + "".join(f"{note}\n" for note in notes))
        return _unstarted(arguments, code, *problems)


def _broken_off(error: Exception) -> tuple[ExitCode, Sequence[Problem]]:
    if isinstance(error, UsageError):
        return ExitCode.INVALID, error.problems
    if isinstance(error, RefusedError):
        return ExitCode.REFUSED, error.problems
    if isinstance(error, SiteSilentError):
        return ExitCode.NO_ANSWER, error.problems
    from runner.runs.store import StoreError  # noqa: PLC0415  1 ms, for a command that fails

    if isinstance(error, StoreError):  # a database that cannot be used
        if error.hint:
            return ExitCode.INVALID, [Problem(code="E151", message=str(error), hint=error.hint)]
        hint = "check its address, and that the server runs; repeat the command when it can be reached"
        return ExitCode.NO_ANSWER, [Problem(code="E151", message=str(error), hint=hint)]
    if isinstance(error, click.UsageError):
        return ExitCode.INVALID, [hints.usage_problem(error)]
    from runner.execution.faults import fault_problem  # noqa: PLC0415  with what it imports 5 ms of a start

    return ExitCode.FAULT, [fault_problem(error)]


def _unstarted(arguments: Sequence[str], code: ExitCode, *problems: Problem) -> ExitCode:
    """Write the reports that the command was asked for, and what it prints for programs: why it ended. Its code."""
    from runner.cli.reports import print_unstarted, report_unstarted  # noqa: PLC0415  10 ms, if a command ends early

    report_unstarted(arguments, os.environ, problems, code)
    with suppress(click.UsageError, UsageError, ImportError):  # the verb's own module may be what is broken
        print_unstarted(arguments, os.environ, problems, command=_command(arguments))
    return code


def _command(arguments: Sequence[str]) -> click.Command | None:
    """The verb that the arguments begin with, or the verb within it."""
    command = load(arguments[0]) if arguments and arguments[0] in VERBS else None
    inner = command.commands if isinstance(command, click.Group) else {}
    return inner.get(arguments[1], command) if arguments[1:] else command


def check_encoding(arguments: Iterable[str], environment: Mapping[str, str]) -> None:
    """Raise `UsageError` for words and variables of ours that are not UTF-8: no journal or site takes them."""
    problems = tuple(_other_encodings(arguments, environment))
    if problems:
        raise UsageError(*problems)


def _check_folder() -> None:
    """Raise `UsageError` in a folder to which no path leads: somebody has deleted it, or we may not enter one above."""
    try:
        os.stat(os.getcwd())  # noqa: PTH109, PTH116  nothing is done with it
    except OSError as error:
        message = f"the current folder cannot be reached by its path: {error.strerror or error}"
        hint = "go to another folder, and give the command there"
        raise UsageError(Problem(code="E150", message=message, hint=hint)) from error


def _other_encodings(arguments: Iterable[str], environment: Mapping[str, str]) -> Iterator[Problem]:
    for word in arguments:
        if not is_well_formed(word):
            hint = "rename the file, or write the value in UTF-8"
            yield Problem(code="E159", message=f"`{clean(word)}` on the command line is not UTF-8", hint=hint)
    for name, value in environment.items():  # the value may be a secret: it is not shown
        if name.startswith(PREFIX) and not (is_well_formed(name) and is_well_formed(value)):
            message = f"the environment variable `{clean(name)}` is not UTF-8"
            yield Problem(code="E159", message=message, hint="set it to a text in UTF-8")


def _unless_data_is_lost(code: int) -> int:
    """The code of a command, which has not passed where its data is lost. A reader that has gone knows."""
    lost = output.lost()
    if lost is None:
        return code
    if not isinstance(lost, BrokenPipeError):
        message = f"stdout cannot be written: {lost.strerror or lost}"
        output.say_lines(as_text([Problem(code="E153", message=message)]))
    return code or ExitCode.NO_ANSWER
