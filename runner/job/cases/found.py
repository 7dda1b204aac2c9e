"""What the cases of a job came to, and the sentences that lists and tables of cases share."""

from dataclasses import dataclass, replace

from runner.job.model import Case
from runner.problems import Problem

MOST_PROBLEMS = 100
"""A hundred thousand cases with one wrong input must not be told so a hundred thousand times."""

IN_VAIN = "cases stand as they are: a value that is worked out belongs into `vars`"
IN_CLEAR = "leave it out: the value can come from the environment or a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """`cases` may be used where there is no error among the problems."""

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()


def no_more(problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems, or so many of them as a person reads."""
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    left = len(problems) - MOST_PROBLEMS
    last = replace(problems[MOST_PROBLEMS - 1], hint=f"{left:,} more mistakes in the cases are not shown")
    return (*problems[: MOST_PROBLEMS - 1], last)


def twice(name: str, *, line: int) -> str:
    return f"two cases are called `{name}`: this one and the one in line {line}"


def exposed(name: str) -> str:
    return f"`{name}` is secret, but its value stands here for everybody to read"
