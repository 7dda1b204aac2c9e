"""The twins of options in the environment, and variables that look like one and are none.

Only the module of the chosen verb is imported, so that the names stand here; a test holds them against all verbs.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from runner.cli.mistyped import mistyped
from runner.foundation.problems import Problem, Severity
from runner.reports.safe import clean

PREFIX: Final = "CREATIO_RUNNER_"
_INPUT: Final = PREFIX + "INPUT_"
NAMES: Final = frozenset(
    (
        *("AGAINST", "ALLOW_EMPTY", "CATALOG", "DATA", "EVERY", "FAIL_FAST", "FOR", "FORMAT", "GRACE", "HOLD", "HOST"),
        *("INPUTS", "JOBS", "JOB_OUT", "KEEP_VALUES", "KEYWORD", "LAST_FAILED", "LIMIT", "OUT", "PAGE_SIZE", "PORT"),
        *("PRUNE", "QUIET", "RECURSIVE", "REPORT_JSON", "REPORT_JSONL", "REPORT_JUNIT", "RUNS", "TAGS", "TARGET"),
        *("TARGETS", "VERBOSE", "WAIT_LOCK", "WAIT_READY"),
    )
)
WITHOUT: Final = ("YES", "CONFIRM", "AGAIN", "STEP", "AS", "RESULT", "EVEN_THOUGH")
"""Options that must be said each time: what a person has to say is not said by an environment."""

FORMATS: Final = frozenset(("text", "json", "github", "sarif"))
"""All values of `FORMAT`; each verb takes some of them."""

_LIKE_THE_PREFIX: Final = "RUN"
_OF_A_SERVICE: Final = ("tcp://", "udp://", "sctp://")
"""How Docker and Kubernetes begin the variables for a service: one called `creatio-runner` gets our names."""


def is_passed_over(value: str, *, choices: Collection[str] | None) -> bool:
    """Whether the value of a twin is not for this option: it is meant for another verb, or is the address of a
    service. `choices` are those of the option, None where it takes any.
    """
    of_another_verb = choices is not None and value not in choices and value in FORMATS
    return of_another_verb or value.startswith(_OF_A_SERVICE)


def unknown(environment: Mapping[str, str]) -> Iterator[Problem]:
    """A warning for each variable that no option has, where one is near: others may be somebody's own."""
    for variable in sorted(environment):
        if variable.startswith(PREFIX):
            name = variable.removeprefix(PREFIX)
            if name not in NAMES and not variable.startswith(_INPUT):
                yield from _of_no_option(variable, name)
        elif variable.startswith("C") and _LIKE_THE_PREFIX in variable:
            near = mistyped(variable, [PREFIX + name for name in NAMES])
            if near is not None:
                yield _warning(variable, f"did you mean `{near}`?")


def _of_no_option(variable: str, name: str) -> Iterator[Problem]:
    near = mistyped(name, NAMES)
    if name == "INPUT":
        yield _warning(variable, f"`{_INPUT}NAME` gives the input `NAME`")
    elif name in WITHOUT:
        option = "--" + name.lower()
        yield _warning(variable, f"`{option}` is said on the command line alone, each time anew")
    elif near is not None:
        yield _warning(variable, f"did you mean `{PREFIX}{near}`?")


def _warning(variable: str, hint: str) -> Problem:
    message = f"the variable `{clean(variable)}` of the environment is not read: no option has it"
    return Problem(code="E150", message=message, hint=hint, severity=Severity.WARNING)
