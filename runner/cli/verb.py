"""A verb of the command line, as click carries it out, with what click lets pass."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import dropwhile, takewhile, zip_longest
from typing import Any

import click
from click.core import ParameterSource

from runner.cli import hints
from runner.foundation.lazy import lazy_pattern, stand_in
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.reports import mistakes
from runner.terminal import output

_VALUE = lazy_pattern(r"[0-9][0-9.]*[A-Za-z]*")


class Option(click.Option):
    """An option whose help is a text without indents. click takes such indents out with `inspect`, 4 % of a start."""

    def __init__(self, param_decls: Sequence[str] | None = None, *, help: str, **settings: Any) -> None:  # noqa: A002, ANN401  as click has them
        super().__init__(param_decls, **settings)
        self.help = help


class EnvOption(Option):
    """An option that the environment can set; a variable's value may be for another verb.

    An empty variable is a mistake, as an empty argument is: without it the command may do more.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        if not os.environ.get(str(self.envvar), "-").strip():
            message = f"the environment variable `{self.envvar}` is empty; set it, or remove it"
            raise click.BadParameter(message, ctx, self)
        value = super().resolve_envvar_value(ctx)
        choices = self.type.choices if isinstance(self.type, click.Choice) else None
        return None if value is None or hints.is_for_others(value, choices=choices) else value


class SwitchedOption(EnvOption):
    """An option that may have a value and need not: its variable may be a switch, as those of flags are."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        try:
            return value if value is None else ("" if click.BOOL.convert(value, self, ctx) else None)
        except click.BadParameter:
            return value


class Helped(click.Command):
    """A command whose help goes out as all output does."""

    @cached_property
    def _own_help_option(self) -> Option:
        return Option(
            ["-h", "--help"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_help,
            help="Show this message and exit.",
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        del ctx
        return self._own_help_option


def _show_help(context: click.Context, option: click.Parameter, value: object) -> None:
    del option
    if value and not context.resilient_parsing:
        output.data(f"{context.get_help()}\n")
        context.exit()


class VerbGroup(Helped, click.Group):
    """A verb with verbs of its own."""


class Verb(Helped):
    """A command whose options are given once, unless they take several values. Its function gets the context."""

    @stand_in("difflib", get_close_matches=lambda *_: ())  # click looks for what resembles `-q` before it finds `-q`
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Like click, which lets the last of several win: the first would be dropped without a word."""
        args = _with_values_apart(self, args)
        hints.check_words(self, args)
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(map(id, given)).items():
            option = next(each for each in given if id(each) == parameter)
            if times > 1 and isinstance(option, click.Option) and not (option.multiple or option.is_flag):
                name = long_name(option)
                raise click.UsageError(f"`{name}` is given {times} times, and takes one value", ctx)
        rest = super().parse_args(ctx, args)
        _choose_quiet_or_verbose(ctx)
        return rest

    def invoke(self, ctx: click.Context) -> object:
        """Warn of variables that are not read, carry the command out, and where it cannot be name those that are."""
        values = (value if isinstance(value, tuple) else (value,) for value in ctx.params.values())
        given = [text for several in values for text in several if isinstance(text, str)]
        output.say_lines(mistakes.text(tuple(hints.unread_variables(self, os.environ, given=given))))
        assert self.callback is not None
        try:
            code = ctx.invoke(self.callback, ctx)
        except UsageError as error:
            if note := _variables_in_use(ctx):
                error.add_note(note)
            raise
        if code == ExitCode.INVALID and (note := _variables_in_use(ctx)):
            output.say(note)
        return code


def _with_values_apart(command: click.Command, args: Sequence[str]) -> list[str]:
    """Let `--wait-ready specs` be the option without a value, then a SPEC. A value begins with a digit."""
    may_be_alone = {
        name
        for option in command.params
        if isinstance(option, click.Option) and option.flag_value == ""
        for name in option.opts
    }
    words = list(takewhile(lambda arg: arg != "--", args))
    apart = [
        f"{word}=" if word in may_be_alone and not _VALUE.fullmatch(following) else word
        for word, following in zip_longest(words, words[1:], fillvalue="")
    ]
    return [*apart, *dropwhile(lambda arg: arg != "--", args)]


def from_environment(context: click.Context) -> list[click.Parameter]:
    """The options that nobody has typed: their values come from the environment."""
    parameters = context.command.params
    source = context.get_parameter_source
    return [parameter for parameter in parameters if source(str(parameter.name)) is ParameterSource.ENVIRONMENT]


def long_name(option: click.Parameter) -> str:
    return max(option.opts, key=len)


def typed_names(context: click.Context) -> list[str]:
    return [name for name in context.params if is_typed(context, name)]


def is_typed(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def refuse_beside_db(context: click.Context, names: Iterable[str], *, because: str, hint: str) -> None:
    """Raise `UsageError` for the first of these parameters, which say nothing to a fleet; `because` says why."""
    for option in (option for name in names for option in context.command.params if option.name == name):
        message = f"`{long_name(option)}` says nothing to a fleet: with `--db` {because}"
        raise UsageError(Problem(code="E150", message=message, hint=hint.format(long_name(option))))


def _variables_in_use(context: click.Context) -> str:
    """Who looks for the mistake looks at the command line first; empty where no variable is read."""
    names = [f"`{option.envvar}`" for option in from_environment(context)]
    return f"these environment variables are in use: {', '.join(names)}" if names else ""


def _choose_quiet_or_verbose(context: click.Context) -> None:
    """Let the command line win over the environment for `--quiet` and `--verbose`. Raises where both are typed."""
    if not (context.params.get("quiet") and context.params.get("verbose")):
        return
    typed = {"quiet", "verbose"}.intersection(typed_names(context))
    if len(typed) != 1:
        raise click.UsageError("`--quiet` prints less and `--verbose` more: choose one", context)
    context.params["verbose" if typed == {"quiet"} else "quiet"] = False
