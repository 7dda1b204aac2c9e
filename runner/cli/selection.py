"""Which of the jobs and cases that were named are carried out: `--tags` and `-k`."""

from collections.abc import Callable, Collection, Iterable

import boolean

from runner.foundation.problems import Problem, UsageError
from runner.job.model import Case, Job

_IN_A_TAG = (".", "_", ":", "-", "/")


def by_tags(written: str) -> Callable[[Iterable[str]], bool]:
    """Whether a list of tags fits an expression of words with `and`, `or`, `not` and parentheses.

    Raises `UsageError` for a text that is none.
    """
    algebra, parsed = _parsed(written)

    def fits(tags: Iterable[str]) -> bool:
        present = set(tags)
        values = {symbol: algebra.TRUE if symbol.obj in present else algebra.FALSE for symbol in parsed.symbols}
        return bool(parsed.subs(values, simplify=True) == algebra.TRUE)

    return fits


def words_of(written: str) -> list[str]:
    """The tags that an expression names."""
    return sorted(str(symbol.obj) for symbol in _parsed(written)[1].symbols)


def _parsed(written: str) -> tuple[boolean.BooleanAlgebra, boolean.Expression]:
    algebra = boolean.BooleanAlgebra(allowed_in_token=_IN_A_TAG)
    try:
        return algebra, algebra.parse(written)
    except boolean.ParseError as error:
        hint = "words with `and`, `or`, `not` and parentheses: `smoke and not slow`"
        raise UsageError(Problem(code="E150", message=f"`--tags {written}` cannot be understood", hint=hint)) from error


def is_chosen(
    job: Job, case: Case | None, *, tags: Callable[[Iterable[str]], bool] | None, keywords: Collection[str] = ()
) -> bool:
    """Whether a job's case, or its only run, is selected; one of the keywords is a part of `job[case]` in any case."""
    if tags is not None and not tags(job.tags):
        return False
    name = _called(job, case).casefold()
    return not keywords or any(keyword.casefold() in name for keyword in keywords)


def _called(job: Job, case: Case | None) -> str:
    return f"{job.name}[{case.name}]" if case else job.name
