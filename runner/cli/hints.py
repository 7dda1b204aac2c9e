"""Hints for mistyped verbs, options, variables and quotes.

Only the module of the chosen verb is imported, so `variables.txt` lists all environment options; a test writes it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Final, cast

import click
from click.core import ParameterSource
from msgspec import Struct

from runner.catalogue.model import PROCESS_CODE
from runner.foundation.hints import filled, table, words
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, Severity, UsageError
from runner.foundation.suggestions import likely_typo, suggest
from runner.reports.safe import clean

_OPTION: Final = lazy_pattern(r"`(--?[a-z][\w-]*)")
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What text processors and web pages make of a hyphen, or of two."""

_BARE_INPUT: Final = lazy_pattern(r"(?s)[A-Za-z_]\w*=.*")
_SINGLE_HYPHEN: Final = lazy_pattern(r"-[A-Za-z][A-Za-z-]+")
_WITH_VALUES_IN_WORDS: Final = ("-i", "--input", "--tags", "-k", "--keyword")
PREFIX: Final = "CREATIO_RUNNER_"
_INPUT: Final = PREFIX + "INPUT_"
VARIABLES: Final = Path(__file__).with_name("variables.txt")
TYPED_ONLY: Final = (
    "YES",
    "CONFIRM",
    "AGAIN",
    "ADOPT",
    "STEP",
    "AS",
    "RESULT",
    "EVEN_THOUGH",
    "RETRY",
    "FAILED",
    "PRUNE",
)
"""Options that a person has to type each time: an environment must not give consent, nor repeat or delete anything."""
FORMATS: Final = frozenset(("text", "json", "github", "gitlab", "sarif"))
"""All values of `FORMAT`; each verb takes some of them."""
_LIKE_THE_PREFIX: Final = "RUN"
_HALF_A_PREFIX: Final = lazy_pattern(r"(?:CREATIO|RUNNER)_(TARGET|INPUT_\w+)")
_ADDRESSES: Final = ("tcp://", "udp://", "sctp://")
"""How Docker and Kubernetes begin the variables for a service: a service called `creatio-runner` gets our names."""


def unknown_verb(name: str, rest: Sequence[str], verbs: Sequence[str]) -> Problem:
    """The first word, `name`, is no verb; `rest` comes after it."""
    foreign = words("commands", "verbs").get(name.casefold())
    near = foreign or suggest(name, verbs)
    match name.casefold():
        case "help" if rest and rest[0] in verbs:
            hint = f"did you mean `runner {rest[0]} --help`?"
        case _ if foreign:
            hint = f"did you mean `{foreign}`?"
        case "import" | "convert" | "migrate":
            hint = (
                "`runner validate FILE` says of a command of curl, or a collection of Postman, what to write in a job"
            )
        case _ if name.endswith(".yaml") or Path(name).exists():
            hint = f"did you mean `runner run {clean(name)}`?"
        case _ if PROCESS_CODE.fullmatch(name):
            hint = "a process is started by a step of a job: `runner run FILE`"
        case _:
            hint = f"did you mean `{near}`?" if near else f"the verbs are {', '.join(verbs)}"
    return Problem(code="E150", message=f"there is no verb `{clean(name)}`", hint=hint)


class UnknownChoiceError(click.BadParameter):
    """A word that the option does not take. `near` is a word that it takes, and that this may be a typo of."""

    def __init__(
        self, message: str, *, near: str | None, param: click.Parameter | None, ctx: click.Context | None
    ) -> None:
        super().__init__(message, ctx=ctx, param=param)
        self.near = near


class OneWord(click.Choice[str]):
    """A word of a list; of any other word the nearest in the list is named."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            near = suggest(value, self.choices)
            raise UnknownChoiceError(error.message, near=near, param=param, ctx=ctx) from None


def usage_problem(error: click.UsageError) -> Problem:
    """What click refuses, with our hint where we have it; else click's own guess is in the message."""
    hint = f"`{error.ctx.command_path} --help` shows how it is used" if error.ctx else None
    message, near = error.format_message(), ""
    match error:
        case click.NoSuchOption() if (ours := _our_option(error)) is not None:
            message, hint = error.message, ours
        case click.NoSuchOption(ctx=click.Context(parent=None)):
            hint = f"options come after the verb, as in `runner run specs -t NAME`; {hint}"
        case click.NoSuchOption(ctx=click.Context() as context, option_name=name):
            message = error.message
            options = [option for each in context.command.get_params(context) for option in each.opts]
            likely = suggest(name, [option for option in options if option.startswith("--")])
            is_of_others = variable_of(name).removeprefix(PREFIX) in variable_names()
            may_be_input = "-i" in options and name.startswith("--") and not is_of_others
            more = "`-i NAME=VALUE` gives an input; " * may_be_input
            hint = f"did you mean `{likely}`?" if likely else f"{more}{hint}"
        case click.BadParameter(param=click.Parameter(type=click.IntRange(min=int(least), max=int(most)))):
            message = message.replace("a valid integer range", "a whole number")
            hint = f"write a whole number from {least} to {most}"
        case click.MissingParameter(ctx=click.Context(command_path=command), param=click.Parameter() as parameter):
            hint = _missing(parameter, command) or hint
        case click.BadOptionUsage(option_name=option) if option.startswith("--report-"):
            hint = f"`{option} FILE`; `-` is stdout"
        case UnknownChoiceError(near=str(word)):
            near = hint = f"did you mean `{word}`?"
    if (variable := _variable(error)) is not None:
        hint = f"{near} the value comes from the environment variable `{variable}`".lstrip()
    return Problem(code="E150", message=message.rstrip("."), hint=hint)


def _missing(parameter: click.Parameter, command: str) -> str | None:
    """What to give for a parameter that is left out."""
    if parameter.name == "specs":
        return f"name a job, or a folder of jobs: `{command} .` takes this folder"
    if parameter.name == "run":
        return "name a run by its id, or write `last`; `runner runs` lists them"
    if not parameter.envvar:
        return None
    fleet = "; without a fleet `runner runs` lists the runs, and Ctrl-C ends a run" * ("--db" in parameter.opts)
    return f"give it on the command line, or set the environment variable `{parameter.envvar}`{fleet}"


def _our_option(error: click.NoSuchOption) -> str | None:
    known = {name for option in error.ctx.command.params for name in option.opts} if error.ctx else set()
    from runner.reports.formats import FORMATS  # noqa: PLC0415  8 ms, for a mistake only

    reports = ", ".join(f"`{report.option} FILE`" for report in FORMATS)
    others = cast("Mapping[str, Mapping[str, str]]", table("commands"))["options"].items()
    hints = (filled(hint, {"reports": reports}) for names, hint in others if error.option_name in names.split())
    return next((hint for hint in hints if {*_OPTION.findall(hint)} <= known or not known), None)


def _variable(error: click.UsageError) -> str | None:
    """The environment variable that the refused value comes from, if it does."""
    option, context = getattr(error, "param", None), error.ctx
    if not isinstance(option, click.Option) or context is None or option.name is None:
        return None
    source = context.get_parameter_source(option.name)
    return str(option.envvar) if source is ParameterSource.ENVIRONMENT and option.envvar else None


class _Word(Struct, frozen=True, kw_only=True):
    """A word that is neither a known option nor an option's value. `option` and `value` come directly before it."""

    text: str
    option: str = ""
    value: str = ""

    @property
    def is_file(self) -> bool:
        return Path(self.text).exists()


def check_words(command: click.Command, args: Sequence[str]) -> None:
    """Raise `UsageError` for accidents between the shell and the command line."""
    options = {name: option for option in command.params if isinstance(option, click.Option) for name in option.opts}
    words = list(_words(options, args))
    if "-i" in options:
        _check_inputs(words)
    for index, word in enumerate(words):
        if word.text.startswith("-"):
            _check_hyphens(word.text, options)
        elif word.text[:1] in _DASHES and word.text and not word.is_file:
            raise UsageError(_other_dash(word.text, options))
        elif word.option in _WITH_VALUES_IN_WORDS and any(other.is_file for other in words):
            _check_quotes(words[index:])


def _words(options: Mapping[str, click.Option], args: Sequence[str]) -> Iterator[_Word]:
    """The words that are not values, up to `--`, unknown options among them."""
    rest = iter(takewhile(lambda arg: arg != "--", args))
    option = value = ""
    for text in rest:
        if text in options:
            takes_value = not (options[text].is_flag or options[text].count)
            option, value = (text, next(rest, "")) if takes_value else ("", "")
            if value in options:  # click would take it for the value
                hint = f"write `{text} {options[text].metavar or 'VALUE'}`"
                raise UsageError(Problem(code="E150", message=f"`{text}` needs a value before `{value}`", hint=hint))
        else:
            yield _Word(text=text, option=option, value=value)
            option = value = ""


def _check_hyphens(text: str, options: Mapping[str, click.Option]) -> None:
    name, equals, value = text.partition("=")
    ours = f"-{name.lower()}"
    if _SINGLE_HYPHEN.fullmatch(name) and ours in options:
        hint = f"write `{ours}{equals}{clean(value)}`, with two hyphens"
        raise UsageError(Problem(code="E150", message=f"there is no option `{name}`", hint=hint))


def _other_dash(text: str, options: Mapping[str, click.Option]) -> Problem:
    name = text.lstrip(_DASHES + "-")
    bare = name.partition("=")[0]
    near = next((hyphens + name for hyphens in ("--", "-") if hyphens + bare in options), None)
    message = f"`{clean(text)}` begins with a dash that is no hyphen, as text processors make it"
    hint = f"write `{clean(near)}`" if near else "begin options with `-` or `--`"
    return Problem(code="E150", message=message, hint=hint)


def _check_inputs(words: Sequence[_Word]) -> None:
    """`run a.job.yaml phone=1`: an input whose option is left out. After an unknown option it may be that option's."""
    free = [
        word for word, before in zip(words, [None, *words], strict=False) if not (before and before.text[:1] == "-")
    ]
    bare = [word.text for word in free if "=" in word.text and _BARE_INPUT.fullmatch(word.text) and not word.is_file]
    if bare:
        from runner.foundation.shell_words import shell_word  # noqa: PLC0415  0.4 ms, for a mistake only

        given = " ".join(f"-i {shell_word(text)}" for text in bare)
        hint = f"write `{clean(given)}`" + (", if it is an input" if len(bare) == 1 else ", if they are inputs")
        raise UsageError(Problem(code="E150", message=f"there is no file `{clean(bare[0])}`", hint=hint))


def _check_quotes(words: Sequence[_Word]) -> None:
    """`-i contact=Boris Koval`, `-i contact Boris`: the next word has become a SPEC, and there is no such file."""
    after = list(takewhile(lambda word: not (word.is_file or set(word.text) & set("./\\*")), words))
    if after and all(not word.option for word in after[1:]):
        first, parts = words[0], [words[0].value, *(word.text for word in after)]
        message = f"there is no file `{clean(first.text)}`, and it comes after `{first.option} {clean(first.value)}`"
        is_bare = first.option == "--tags" and not {"and", "or", "not"} & {*parts}
        whole = (" and " if is_bare else " ").join(parts)
        hint = f'write a value with blanks in quotes: `{first.option} "{clean(whole)}"`'
        if first.option in ("-i", "--input"):
            name, _, value = map(str.strip, whole.replace(" ", "=", "=" not in whole).partition("="))
            name = name.removesuffix(":")
            given = f'"{name}={value}"' if " " in value else f"{name}={value}"
            hint = f"write `{first.option} {clean(given)}`"
        raise UsageError(Problem(code="E150", message=message, hint=hint))


@cache
def variable_names() -> frozenset[str]:
    """The names of all environment options, without their prefix."""
    return frozenset(VARIABLES.read_text(encoding="utf-8").split())


def is_for_others(value: str, *, choices: Collection[str] | None) -> bool:
    """Whether a value is for another verb, or the address of a service. `choices` are the option's; None: any value."""
    of_another_verb = choices is not None and value not in choices and value in FORMATS
    return of_another_verb or value.startswith(_ADDRESSES)


def unread_variables(
    command: click.Command, environment: Mapping[str, str], *, given: Collection[str] = ()
) -> Iterator[Problem]:
    """A warning for each variable with a likely typo, and for each whose option has another variable in this command.

    Other variables may be somebody's own, as whose value the command is `given` anyway: `-t $CREATIO_TARGET`.
    """
    for option in (option for option in command.params if option.envvar):
        long = max(option.opts, key=len)
        if (variable := variable_of(long)) != option.envvar and variable in environment:
            message = f"the environment variable `{variable}` is not read: it is of other verbs"
            right = f"`{option.envvar}` is the variable of `{long}` here"
            yield Problem(code="E150", message=message, hint=right, severity=Severity.WARNING)
    options = [(form, option.envvar) for option in command.params for form in option.opts]
    of_letters = {form[1:].upper(): variable for form, variable in options if not form.startswith("--")}
    for variable in sorted(environment):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX)
            if of_letter := of_letters.get(name):
                yield _variable_warning(variable, f"did you mean `{of_letter}`?")
            elif name not in variable_names() and not variable.startswith(_INPUT) and (hint := _variable_hint(name)):
                yield _variable_warning(variable, hint)
        elif (halved := _HALF_A_PREFIX.fullmatch(variable)) is not None:
            if not any(text.endswith(environment[variable]) for text in given):
                yield _variable_warning(variable, f"did you mean `{PREFIX}{clean(halved[1])}`?")
        elif variable.startswith("C") and _LIKE_THE_PREFIX in variable:
            near_by = likely_typo(variable, [PREFIX + name for name in variable_names()], own_letters=True)
            if near_by is not None:
                yield _variable_warning(variable, f"did you mean `{near_by}`?")


def variable_of(option: str) -> str:
    """The variable of an option, by its long form."""
    return PREFIX + option.removeprefix("--").upper().replace("-", "_")


def _variable_hint(name: str) -> str | None:
    if name == "INPUT":
        return f"`{_INPUT}NAME` gives the input `NAME`"
    if name.startswith("INPUTS_"):
        return f"did you mean `{_INPUT}{clean(name.removeprefix('INPUTS_'))}`?"
    if name in TYPED_ONLY:
        return f"type `--{name.lower().replace('_', '-')}` on the command line, each time anew"
    near_by = likely_typo(name, variable_names(), own_letters=True)
    return near_by and f"did you mean `{PREFIX}{near_by}`?"


def _variable_warning(variable: str, hint: str) -> Problem:
    is_typed = variable.removeprefix(PREFIX) in TYPED_ONLY
    why = "no variable gives this option" if is_typed else "no option has this name"
    message = f"the environment variable `{clean(variable)}` is not read: {why}"
    return Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)
