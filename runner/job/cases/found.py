"""What the cases of a job came to, and the sentences that lists and tables of cases share."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from runner.foundation.problems import Problem
from runner.job.input_values import how_to_give
from runner.job.model import Case, Input

MOST_PROBLEMS = 100
"""A hundred thousand cases with one wrong input must not be told so a hundred thousand times."""

IN_VAIN = "cases stand as they are: a value that is worked out belongs into `vars`"
IN_CLEAR = "leave it out: the value can come from the environment or a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """`cases` may be used where there is no error among the problems.

    `lacking` are the required inputs that no case gives, with what is wrong where nobody else gives them either;
    `lacking_some` tells of cases that lack what others give.
    """

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
    lacking: Mapping[str, Problem] = field(default_factory=dict, compare=False)
    lacking_some: tuple[Problem, ...] = field(default=(), compare=False)


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


def lacked(inputs: Iterable[Input], given: Sequence[Collection[str]]) -> Iterator[tuple[Input, list[int]]]:
    """The required inputs that are not `given` by every case, each with the cases that lack it."""
    for declared in inputs:
        lacking = [index for index, names in enumerate(given) if declared.name not in names]
        if declared.required and lacking:
            yield declared, lacking


def with_lacking(found: Cases, lacking: Iterable[tuple[str | None, Problem]]) -> Cases:
    """`found` with what its cases lack: of an input that has a name here, no case gives it."""
    told = [*lacking]
    by_name = {name: problem for name, problem in told if name is not None}
    return replace(found, lacking=by_name, lacking_some=no_more([problem for name, problem in told if name is None]))


def lacked_by_all(declared: Input) -> tuple[str, str, str]:
    """Code, message and hint for an input that no case gives."""
    message = f"no case gives the input `{declared.name}`, which is required"
    return "E130", message, f"add it to the cases, or {how_to_give(declared)}"


def lacked_by_one(declared: Input) -> tuple[str, str, str]:
    """Code, message and hint for an input that other cases give."""
    message = f"this case gives no `{declared.name}`, which is required"
    return "E130", message, f"write a value, or give the input `{declared.name}` a `default`"
