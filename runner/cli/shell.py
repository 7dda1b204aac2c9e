"""Accidents between a command line and the shell: dashes of a text processor, a hyphen too few, a value without its
quotes, a pattern that nobody has filled in.
"""

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile, takewhile, zip_longest
from pathlib import Path

import click

from runner.foundation.problems import Problem, UsageError
from runner.reports.safe import clean

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What text processors and web pages make of a hyphen, or of two."""

_ONE_HYPHEN = re.compile(r"-[a-z][a-z-]+")
_WITH_VALUES_IN_WORDS = ("-i", "--input", "--tags", "-k", "--keyword")
PROCESS = re.compile(r"[A-Z][a-z]+[A-Z]\w*")
"""How the code of a process looks: `UsrCreateOrder`."""

_VALUE = re.compile(r"[0-9][0-9.]*[A-Za-z]*")
_PATTERN = re.compile(r"[*?\[]")
_OF_FILES = (".yaml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A word that is neither an option nor the value of one. `option` and `value` stand directly before it."""

    text: str
    option: str = ""
    value: str = ""

    @property
    def is_there(self) -> bool:
        return Path(self.text).exists()


def check(command: click.Command, args: Sequence[str]) -> None:
    """Raise `UsageError` for what the shell, or whoever pasted it, has made of the command line."""
    options = {name: one for one in command.params if isinstance(one, click.Option) for name in one.opts}
    words = list(_words(options, args))
    for index, word in enumerate(words):
        if word.text.startswith("-"):
            _one_hyphen(word.text, options)
        elif word.text[:1] in _DASHES and word.text and not word.is_there:
            _dash(word.text, options)
        elif word.option in _WITH_VALUES_IN_WORDS and any(other.is_there for other in words):
            _no_quotes(words[index:])


def with_values_apart(command: click.Command, args: Sequence[str]) -> list[str]:
    """Let `--wait-ready specs` be the option alone, and a SPEC: click would take any word for its value.

    A value begins with a digit, and goes on with digits and letters.
    """
    may_be_alone = {name for one in command.params if _may_be_alone(one) for name in one.opts}
    told, rest = list(takewhile(lambda arg: arg != "--", args)), list(dropwhile(lambda arg: arg != "--", args))
    apart = []
    for word, following in zip_longest(told, told[1:], fillvalue=""):
        apart.append(f"{word}=" if word in may_be_alone and not _VALUE.fullmatch(following) else word)
    return apart + rest


def _may_be_alone(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and parameter.flag_value == ""


def _words(options: Mapping[str, click.Option], args: Sequence[str]) -> Iterator[_Word]:
    """The words that are not values, up to `--`, options among them."""
    rest = iter(takewhile(lambda arg: arg != "--", args))
    option = value = ""
    for text in rest:
        if text in options:
            takes = not (options[text].is_flag or options[text].count)
            option, value = (text, next(rest, "")) if takes else ("", "")
        else:
            yield _Word(text=text, option=option, value=value)
            option = value = ""


def _one_hyphen(text: str, options: Mapping[str, click.Option]) -> None:
    name, equals, value = text.partition("=")
    if _ONE_HYPHEN.fullmatch(name) and f"-{name}" in options:
        hint = f"write `-{name}{equals}{clean(value)}`, with two hyphens"
        raise UsageError(Problem(code="E150", message=f"there is no option `{name}`", hint=hint))


def _dash(text: str, options: Mapping[str, click.Option]) -> None:
    name = text.lstrip(_DASHES + "-")
    bare = name.partition("=")[0]
    meant = next((hyphens + name for hyphens in ("--", "-") if hyphens + bare in options), None)
    message = f"`{clean(text)}` begins with a dash that is no hyphen, as text processors make it"
    hint = f"write `{clean(meant)}`" if meant else "options begin with `-` or `--`"
    raise UsageError(Problem(code="E150", message=message, hint=hint))


def _no_quotes(words: Sequence[_Word]) -> None:
    """`-i contact=Boris Koval`: the second word has become a SPEC, and no such file is there."""
    behind = list(takewhile(lambda word: not (word.is_there or set(word.text) & set("./\\*")), words))
    if behind and all(not word.option for word in behind[1:]):
        first, whole = words[0], " ".join([words[0].value, *(word.text for word in behind)])
        message = f"there is no file `{clean(first.text)}`, and it stands behind `{first.option} {clean(first.value)}`"
        hint = f'a value with blanks stands in quotes: `{first.option} "{clean(whole)}"`'
        raise UsageError(Problem(code="E150", message=message, hint=hint))


def expanded(context: click.Context, parameter: click.Parameter, specs: tuple[Path, ...]) -> tuple[Path, ...]:
    """Fill in patterns that the shell has left as they are: that of Windows fills in none. One that fits nothing, or
    that is the name of a file, stays.
    """
    del context, parameter
    return tuple(found for spec in specs for found in _fitting(spec))


def _fitting(spec: Path) -> Sequence[Path]:
    if not _PATTERN.search(str(spec)) or spec.exists():
        return (spec,)
    found = glob.glob(str(spec), recursive=True)  # noqa: PTH207  of a path, absolute or not, as a shell would
    fitting = [Path(one) for one in sorted(found)]
    if spec.suffix in _OF_FILES:
        fitting = [path for path in fitting if not path.is_dir()]
    return fitting or (spec,)
