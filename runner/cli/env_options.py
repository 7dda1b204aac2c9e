"""Environment options: the variables that set options of the command line, and variables that only look like one.

Only the module of the chosen verb is imported, so the names are listed here; a test compares them with all verbs.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from runner.foundation.near_misses import folded, near
from runner.foundation.problems import Problem, Severity
from runner.reports.safe import clean

PREFIX: Final = "CREATIO_RUNNER_"
_INPUT: Final = PREFIX + "INPUT_"
_NAMES: Final = frozenset(
    (
        *("AGAINST", "ALLOW_EMPTY", "CATALOG", "DATA", "EVERY", "FAIL_FAST", "FOR", "FORMAT", "GRACE", "HOLD", "HOST"),
        *("INPUTS", "JOBS", "JOB_OUT", "KEEP_VALUES", "KEYWORD", "LAST_FAILED", "LIMIT", "OUT", "PAGE_SIZE", "PORT"),
        *("PRUNE", "QUIET", "RECURSIVE", "RUNS", "TAGS", "TARGET", "TARGETS", "VERBOSE", "WAIT_LOCK", "WAIT_READY"),
    )
)
TYPED_ONLY: Final = ("YES", "CONFIRM", "AGAIN", "STEP", "AS", "RESULT", "EVEN_THOUGH")
"""Options that a person has to type each time: an environment must not give a person's consent."""

FORMATS: Final = frozenset(("text", "json", "github", "sarif"))
"""All values of `FORMAT`; each verb takes some of them."""

_LIKE_THE_PREFIX: Final = "RUN"
_ADDRESSES: Final = ("tcp://", "udp://", "sctp://")
"""How Docker and Kubernetes begin the variables for a service: one called `creatio-runner` gets our names."""

_SHORTEST: Final = 4
"""Shorter words are near to too many others."""


def names() -> frozenset[str]:
    """The names of all environment options, without their prefix."""
    from runner.reports.formats import FORMATS as REPORTS  # noqa: PLC0415  8 ms, where a variable may be one of ours

    return _NAMES | {one.parameter.upper() for one in REPORTS}


def is_for_others(value: str, *, choices: Collection[str] | None) -> bool:
    """Whether a variable's value is for another verb, or the address of a service. `choices` are those of the option,
    None where it takes any value.
    """
    of_another_verb = choices is not None and value not in choices and value in FORMATS
    return of_another_verb or value.startswith(_ADDRESSES)


def unknown(environment: Mapping[str, str]) -> Iterator[Problem]:
    """A warning for each variable that no option has, where one is near: others may be somebody's own."""
    for variable in sorted(environment):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX)
            if name not in names() and not variable.startswith(_INPUT) and (hint := _hint(name)):
                yield _warning(variable, hint)
        elif variable.startswith("C") and _LIKE_THE_PREFIX in variable:
            near_by = typo_of(variable, [PREFIX + name for name in names()])
            if near_by is not None:
                yield _warning(variable, f"did you mean `{near_by}`?")


def _hint(name: str) -> str | None:
    if name == "INPUT":
        return f"`{_INPUT}NAME` gives the input `NAME`"
    if name in TYPED_ONLY:
        return f"type `--{name.lower()}` on the command line, each time anew"
    near_by = typo_of(name, names())
    return near_by and f"did you mean `{PREFIX}{near_by}`?"


def _warning(variable: str, hint: str) -> Problem:
    message = f"the environment variable `{clean(variable)}` is not read: no option has this name"
    return Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)


def typo_of(word: str, known: Collection[str]) -> str | None:
    """The one of `known` that `word` is with one typo, its digits the same.

    An environment holds what others have put there, for other jobs and other programs, so only a letter left out,
    typed twice or swapped with its neighbour counts: `DATE` is no typo of `DATA`, nor `CONTRACT` of `CONTACT`.
    """
    bare, digits = folded(word), [*filter(str.isdigit, word)]
    names = sorted(name for _, name in near(word, known, typos=1) if name != word)
    return next(
        (name for name in names if [*filter(str.isdigit, name)] == digits and bare in _with_a_typo(folded(name))), None
    )


def _with_a_typo(name: str) -> Iterator[str]:
    yield name
    for at, letter in enumerate(name if len(name) >= _SHORTEST else ""):
        before, after = name[:at], name[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        yield before + after[:1] + letter + after[1:]
