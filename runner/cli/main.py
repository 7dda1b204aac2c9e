"""The command `runner`: a table of verbs, each in a module of its own, and the one `try` of the program.

Whatever goes wrong ends here in a sentence and an exit code; a fault of ours leaves a log file behind.
Only the module of the chosen verb is imported: `runner validate` never pays for a web server.
"""

import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from runner.cli import output, utf8
from runner.cli.shell import PROCESS
from runner.cli.verb import OPTIONS_OF_OTHERS, Helped
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError
from runner.foundation.suggestions import suggest
from runner.reports.mistakes import text as as_text
from runner.reports.safe import clean
from runner.version import VERSION

_OPTION = re.compile(r"`(--?[a-z][\w-]*)")
VERBS = {
    "run": ("runner.cli.run", "Carry jobs out and report what happened."),
    "resume": ("runner.cli.resume", "Go on where a run broke off."),
    "reconcile": ("runner.cli.reconcile", "Ask the process log again about calls in doubt."),
    "plan": ("runner.cli.plan", "Print what would be sent; send nothing."),
    "validate": ("runner.cli.validate", "Check job, target and sandbox files."),
    "list": ("runner.cli.list", "List jobs with their tags and inputs."),
    "report": ("runner.cli.report", "Draw any report of a run again."),
    "show": ("runner.cli.show", "Tell what happened in one run."),
    "runs": ("runner.cli.runs", "List the runs that are kept."),
    "sandbox": ("runner.cli.sandbox", "Serve the stand-in of the service."),
    "catalog": ("runner.cli.catalog", "Know what a site has, and what packages in git hold."),
    "record": ("runner.cli.record", "Write a double and a job from a run that happened."),
    "ready": ("runner.cli.ready", "Wait until a site is ready, as after a deployment."),
    "doctor": ("runner.cli.doctor", "Go the way to a site step by step, and say where it ends."),
    "init": ("runner.cli.init", "Start a project that runs at once."),
    "schema": ("runner.cli.schema", "Print a JSON Schema for an editor."),
    "explain": ("runner.cli.explain", "Explain an error code, with examples."),
}

_MEANT = {
    **dict.fromkeys(("check", "lint", "verify"), "validate"),
    **dict.fromkeys(("test", "exec", "execute", "start", "play"), "run"),
    **dict.fromkeys(("dry-run", "dryrun", "preview"), "plan"),
    **dict.fromkeys(("retry", "rerun", "continue"), "resume"),
    **dict.fromkeys(("history", "logs"), "runs"),
    **dict.fromkeys(("serve", "mock", "server"), "sandbox"),
    **dict.fromkeys(("new", "create"), "init"),
    **dict.fromkeys(("ping", "login", "connect"), "doctor"),
    **dict.fromkeys(("wait", "await", "wait-for", "health", "healthcheck"), "ready"),
    **dict.fromkeys(("pull", "catalogue"), "catalog"),
    **dict.fromkeys(("capture", "recording"), "record"),
    "ls": "list",
}
"""The verb for the word of another tool."""


class Verbs(Helped, click.Group):
    """The table of verbs as click wants it: names and short texts without importing anything."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        gc.disable()  # what is imported stays; to look through it for garbage is 6 ms of a start
        command: click.Command = importlib.import_module(VERBS[cmd_name][0]).command
        gc.freeze()
        gc.enable()
        return _laid_out(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl([(name, short) for name, (_, short) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            message = f"there is no verb `{clean(name)}`"
            raise UsageError(Problem(code="E150", message=message, hint=_verb_meant(name, args[1:])))
        return super().resolve_command(ctx, args)


def _verb_meant(name: str, rest: Sequence[str]) -> str:
    """What to write in the place of `name`, which is no verb."""
    near = _MEANT.get(name.casefold())
    if near is None and name.casefold() == "help":
        return f"did you mean `runner {rest[0]} --help`?" if rest and rest[0] in VERBS else "did you mean `--help`?"
    if near is None and name.casefold() == "version":
        return "did you mean `--version`?"
    if near is None and (name.endswith(".yaml") or Path(name).exists()):
        return f"did you mean `runner run {clean(name)}`?"
    if near is None and PROCESS.fullmatch(name):
        return "a process is started by a step of a job: `runner run FILE`"
    near = near or suggest(name, VERBS)
    return f"did you mean `{near}`?" if near else f"the verbs are {', '.join(VERBS)}"


def _laid_out(command: click.Command) -> click.Command:
    r"""Let the lines of a paragraph of help stay apart that begins with `\b`: for click that is one character, which
    cannot stand in a raw docstring.
    """
    command.help = (command.help or "").replace("\\b", "\b")
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _laid_out(inner)
    return command


def _show_version(context: click.Context, option: click.Parameter, value: object) -> None:
    del option
    if value and not context.resilient_parsing:
        output.data(f"runner, version {VERSION}\n")
        context.exit()


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def runner() -> None:
    r"""Run Creatio business processes from job files, and tell the truth about what happened.

    \b
      runner run specs            carry out every job in a folder
      runner validate specs       check them; nothing is sent
      runner plan specs -t test   see what would be sent

    Data goes to stdout, talk to stderr. Every option but --yes, --confirm, --again, --even-though, --step, --as and
    --result has a variable in the environment: CREATIO_RUNNER_… in capitals; an input has CREATIO_RUNNER_INPUT_NAME.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry one command out and leave with its exit code."""
    sys.exit(ended(sys.argv[1:] if arguments is None else arguments))


def ended(arguments: Sequence[str]) -> int:
    """Carry one command out; its exit code."""
    try:
        output.begin()
        utf8.check(arguments, os.environ)
        code = _laid_out(runner).main(args=list(arguments), prog_name="runner", standalone_mode=False)
        return _with_its_data(code if isinstance(code, int) else ExitCode.PASSED)
    except UsageError as error:
        notes = "".join(f"{note}\n" for note in getattr(error, "__notes__", ()))
        output.say_lines(as_text(error.problems) + notes)
        return ExitCode.INVALID
    except RefusedError as error:
        output.say_lines(as_text(error.problems))
        return ExitCode.REFUSED
    except click.exceptions.NoArgsIsHelpError as error:
        output.say_lines(f"{error.message}\n")
        return ExitCode.INVALID
    except click.UsageError as error:
        output.say_lines(_usage(error))
        return ExitCode.INVALID
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001  the one place where a fault of ours ends
        output.say_lines(importlib.import_module("runner.cli.fault").told())
        return ExitCode.FAULT


def _with_its_data(code: int) -> int:
    """The code of a command, which has not passed where its data is lost. A reader that has gone knows."""
    lost = output.lost()
    if lost is None:
        return code
    if not isinstance(lost, BrokenPipeError):
        message = f"stdout cannot be written: {lost.strerror or lost}"
        output.say_lines(as_text([Problem(code="E153", message=message)]))
    return code or ExitCode.NO_ANSWER


def _option_meant(error: click.NoSuchOption) -> str | None:
    """What is meant by the option of another tool, in options that this verb has."""
    known = {name for one in error.ctx.command.params for name in one.opts} if error.ctx else set()
    for hint in OPTIONS_OF_OTHERS.get(error.option_name, ()):
        if {*_OPTION.findall(hint)} <= known or not known:
            return hint
    return None


def _usage(error: click.UsageError) -> str:
    """A word of another tool is told by what is meant here, else click's own guess stands."""
    hint = f"`{error.ctx.command_path} --help` shows how it is used" if error.ctx else None
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and (here := _option_meant(error)) is not None:
        message, hint = error.message, here
    if isinstance(error, click.MissingParameter) and error.ctx and error.param and error.param.name == "specs":
        hint = f"name a job, or a folder of jobs: `{error.ctx.command_path} .` takes this one"
    if isinstance(error, click.BadOptionUsage) and error.option_name.startswith("--report-"):
        hint = f"`{error.option_name} FILE`; `-` is stdout"
    variable = _variable(error)
    if variable is not None:
        hint = f"it comes from the variable `{variable}` of the environment"
    return as_text((Problem(code="E150", message=message.rstrip("."), hint=hint),))


def _variable(error: click.UsageError) -> str | None:
    """The variable of the environment whose value is wrong, if it is one."""
    option, context = getattr(error, "param", None), error.ctx
    if not isinstance(option, click.Option) or context is None or option.name is None:
        return None
    source = context.get_parameter_source(option.name)
    return str(option.envvar) if source is ParameterSource.ENVIRONMENT and option.envvar else None
