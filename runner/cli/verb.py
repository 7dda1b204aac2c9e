"""A verb of the command line, as click carries it out, with what click lets pass."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping

import click
from click.core import ParameterSource

from runner.cli import env_options, output, shell
from runner.foundation.problems import ExitCode, UsageError
from runner.reports import mistakes

_MEANT: tuple[tuple[tuple[str, ...], str], ...] = (
    (("--dry-run", "--dryrun", "--check", "--diff"), "`runner plan` prints what would be sent"),
    (
        ("--var", "--vars", "--variable", "--extra-vars", "--env-var", "-e", "--set", "--param", "-D"),
        "`-i NAME=VALUE` gives an input",
    ),
    (("--env", "--environment", "--host", "--url", "--site"), "`-t NAME` names a target"),
    (("--filter", "--grep", "--name", "--only", "--test"), "`-k TEXT` selects runs by their name"),
    (("--tag", "--include", "--label"), "`--tags EXPR` selects jobs by their tags"),
    (("--var-file", "--varfile", "--vars-file", "--env-file"), "`--inputs FILE` reads inputs from YAML or JSON"),
    (("--skip-tags", "--exclude"), '`--tags "not slow"` leaves jobs out'),
    (("--parallel", "--workers", "--threads", "--forks", "-n"), "`-j N` carries N runs out at once"),
    (("--bail", "--exitfirst", "--maxfail"), "`-x` ends at the first that does not pass"),
    (("--junit", "--junitxml", "--junit-xml"), "`--report-junit FILE`"),
    (("--output", "-o"), "`--out FILE` names the file that is written"),
    (("--json", "--report", "--output", "-o"), "`--report-json FILE`"),
    (
        ("--format", "--reporter", "--reporters"),
        "`--report-json FILE`, `--report-junit FILE`, `--report-jsonl FILE`; `-` is stdout",
    ),
    (
        ("-d", "--iteration-data", "--data-file", "--dataset"),
        "`cases` in a job names its CSV or JSON file: one run per case",
    ),
    (("-V",), "`runner --version`"),
    (("--timeout",), "`timeout` is a key: of a job, of a step, of a target"),
    (("--retries",), "`retry` is a key of a step"),
    (("--silent", "--quiet-output"), "`-q` tells less"),
    (("--debug", "--trace", "-vv"), "`-v` tells every call"),
    (("--force", "--auto-approve", "--assume-yes"), "`--yes` answers questions; `--confirm TARGET`"),
    (("--insecure", "--no-verify", "--ignore-ssl"), "TLS is always verified; `ca_file` of the target"),
)
"""What other tools call it, and what is meant here: of several hints the first with options that the verb has."""
OPTIONS_OF_OTHERS: Mapping[str, tuple[str, ...]] = {
    name: tuple(hint for names, hint in _MEANT if name in names) for names, _ in _MEANT for name in names
}


class Helped(click.Command):
    """A command whose help goes out as all output does."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option


def _show_help(context: click.Context, option: click.Parameter, value: object) -> None:
    del option
    if value and not context.resilient_parsing:
        output.data(f"{context.get_help()}\n")
        context.exit()


class VerbGroup(Helped, click.Group):
    """A verb with verbs of its own."""


class Verb(Helped):
    """A command whose options can be given once, but for those that take several values."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Like click, which lets the last of several win: the first would be dropped without a word."""
        args = shell.with_values_apart(self, args)
        shell.check(self, args)
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(map(id, given)).items():
            option = next(one for one in given if id(one) == parameter)
            if times > 1 and isinstance(option, click.Option) and not (option.multiple or option.is_flag):
                name = max(option.opts, key=len)
                raise click.UsageError(f"`{name}` is given {times} times, and takes one value", ctx)
        rest = super().parse_args(ctx, args)
        _quiet_or_verbose(ctx)
        return rest

    def invoke(self, ctx: click.Context) -> object:
        """Tell of variables that are not read, carry the command out, and where it cannot be tell of those that are."""
        output.say_lines(mistakes.text(tuple(env_options.unknown(os.environ))))
        try:
            code = super().invoke(ctx)
        except UsageError as error:
            for note in _from_environment(ctx):
                error.add_note(note)
            raise
        if code == ExitCode.INVALID:
            output.say_lines("".join(f"{note}\n" for note in _from_environment(ctx)))
        return code


def _from_environment(context: click.Context) -> Iterator[str]:
    """The sentence on options that nobody has typed: whoever looks for the mistake looks at the command line first."""
    names = [
        f"`{option.envvar}`"
        for option in context.command.params
        if isinstance(option, click.Option)
        and context.get_parameter_source(str(option.name)) is ParameterSource.ENVIRONMENT
    ]
    if names:
        yield f"the environment counts here, too: {', '.join(names)}"


def _quiet_or_verbose(context: click.Context) -> None:
    """One of the two: what the command line says wins over the environment."""
    if not (context.params.get("quiet") and context.params.get("verbose")):
        return
    said = [name for name in ("quiet", "verbose") if _is_said(context, name)]
    if len(said) != 1:
        raise click.UsageError("`--quiet` tells less and `--verbose` more: choose one", context)
    context.params["verbose" if said == ["quiet"] else "quiet"] = False


def _is_said(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE
