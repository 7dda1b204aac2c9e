"""Which runs of the files that were read a command selects, by `--tags` and `-k`; and why none, or not all it names."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, UsageError
from runner.foundation.sentences import job_and_case, listed
from runner.foundation.shell_words import shell_word
from runner.foundation.suggestions import likely_typo, suggest
from runner.job.model import Case, Job
from runner.project.job_files import JobFile
from runner.reports.safe import clean

if TYPE_CHECKING:
    import boolean
FitsTags: TypeAlias = Callable[[Iterable[str]], bool]

_IN_A_TAG = (".", "_", ":", "-", "/")
_BETWEEN_TAGS = lazy_pattern(r"\s*[\s,;+*]\s*")
_BETWEEN_NAMES = lazy_pattern(r"\s*,\s*|\s+(?:or|\|+)\s+")
_SIGNS_OF_THE_LIBRARY = frozenset({"*", "+", "~", "[", "]", "0", "1", "true", "false", "none"})


class FoundRun(Struct, frozen=True, kw_only=True):
    """A job's case, or its only run."""

    file: JobFile
    job: Job
    case: Case | None = None
    index: int | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        return self.job.name, self.case.name if self.case else None

    @property
    def title(self) -> str:
        """`job[case]`."""
        return job_and_case(*self.key)


def runs_of(file: JobFile) -> Iterator[FoundRun]:
    if file.job is None:
        return
    if file.job.cases is None:
        yield FoundRun(file=file, job=file.job)
    for index, case in enumerate(file.job.cases or ()):
        yield FoundRun(file=file, job=file.job, case=case, index=index)


class Selection(Struct, frozen=True, kw_only=True):
    """What a command line selects. Is made by `select`."""

    tags: str | None
    fits_tags: FitsTags
    keywords: Sequence[str]

    def of(self, runs: Iterable[FoundRun]) -> list[FoundRun]:
        found = [*runs]
        whole = {run.title for run in found if run.case is not None}.intersection(self.keywords)
        keywords = [keyword for keyword in self.keywords if keyword not in whole]

        def has_keyword(run: FoundRun) -> bool:
            return run.title in whole or (bool(keywords or not whole) and self._has_keyword(run, keywords))

        return [run for run in found if self.fits_tags(run.job.tags) and has_keyword(run)]

    @staticmethod
    def _has_keyword(run: FoundRun, keywords: Sequence[str]) -> bool:
        """Whether a keyword is a part of `job[case]`, in any case of its letters."""
        title = run.title.casefold()
        return not keywords or any(keyword.casefold() in title for keyword in keywords)

    def problems(self, runs: Sequence[FoundRun]) -> Iterator[Problem]:
        """What fits none of the `runs`, beside others that fit: a tag that is near to one of theirs, and a keyword."""
        tags = {tag for run in runs for tag in run.job.tags}
        for word in _words(self.tags) if self._fit_some_tag(runs) else ():
            if word not in tags and (near := likely_typo(word, tags)) is not None:
                message, hint = f"no job has the tag `{clean(word)}` of `--tags`", f"did you mean `{clean(near)}`?"
                yield Problem(code="E150", message=message, hint=hint)
        for keyword in self.keywords if self.of(runs) else ():
            if why := self._no_name([keyword], runs):
                message, _, hint = why.partition("; ")
                yield Problem(code="E150", message=message, hint=hint)

    def why_nothing(self, runs: Sequence[FoundRun]) -> str:
        """Why none of the `runs` is selected, of which there are some."""
        reasons = [self._no_tag(runs), self._no_name(self.keywords, runs)]
        return "; ".join(filter(None, reasons)) or "no run fits both `--tags` and `-k`"

    def _fit_some_tag(self, runs: Iterable[FoundRun]) -> bool:
        return any(self.fits_tags(run.job.tags) for run in runs)

    def _no_tag(self, runs: Sequence[FoundRun]) -> str:
        if self.tags is None or self._fit_some_tag(runs):
            return ""
        tags = sorted({tag for run in runs for tag in run.job.tags})
        near = next((near for word in _words(self.tags) if word not in tags and (near := suggest(word, tags))), None)
        there_are = f"the tags are {listed([*map(clean, tags)])}" if tags else "the jobs have no tags"
        return f"no job fits `--tags {clean(self.tags)}`; " + (f"did you mean `{near}`?" if near else there_are)

    def _no_name(self, keywords: Sequence[str], runs: Sequence[FoundRun]) -> str:
        if any(self._has_keyword(run, keywords) for run in runs):
            return ""
        jobs = list(dict.fromkeys(run.job.name for run in runs))
        cases = (name for run in runs if run.case is not None for name in (run.case.name, run.title))
        near = suggest(keywords[0], [*jobs, *cases])
        hint = f"did you mean `{clean(near)}`?" if near else f"the jobs are {listed([*map(clean, jobs)])}"
        if len(parts := _BETWEEN_NAMES.split(keywords[0])) > 1:
            hint = f"name each by itself: `{' '.join(f'-k {shell_word(clean(part))}' for part in parts)}`"
        written = " or ".join(f"`{clean(keyword)}`" for keyword in keywords)
        return f"no run is called like {written}; {hint}"


def select(tags: str | None, keywords: Sequence[str]) -> Selection:
    """By words with `and`, `or`, `not` and parentheses, and by parts of names. Raises `UsageError`."""
    return Selection(tags=tags, fits_tags=_all if tags is None else _by_tags(tags), keywords=keywords)


def _all(tags: Iterable[str]) -> bool:
    del tags
    return True


def _by_tags(written: str) -> FitsTags:
    algebra, parsed = _parsed(written)

    def fits(tags: Iterable[str]) -> bool:
        present = set(tags)
        values = {symbol: algebra.TRUE if symbol.obj in present else algebra.FALSE for symbol in parsed.symbols}
        return bool(parsed.subs(values, simplify=True) == algebra.TRUE)

    return fits


def _words(written: str | None) -> list[str]:
    """The tags in an expression."""
    return [] if written is None else sorted(str(symbol.obj) for symbol in _parsed(written)[1].symbols)


def _parsed(written: str) -> "tuple[boolean.BooleanAlgebra, boolean.Expression]":
    import boolean  # noqa: PLC0415  2 ms, for who gives `--tags`

    algebra = boolean.BooleanAlgebra(allowed_in_token=_IN_A_TAG)
    try:
        signs = {sign.lower() for _, sign, _ in algebra.tokenize(written)}
        parsed = algebra.parse(written)
    except boolean.ParseError as error:
        raise _not_parsed(written) from error
    if signs & _SIGNS_OF_THE_LIBRARY:  # `smoke + fast` would be `smoke or fast`, and `true` all jobs
        raise _not_parsed(written)
    return algebra, parsed


def _not_parsed(written: str) -> UsageError:
    hint = "write words with `and`, `or`, `not` and parentheses: `smoke and not slow`"
    words = _BETWEEN_TAGS.split(written)
    if len(words) > 1 and not {"", "and", "or", "not"} & {*words}:
        hint = f"write `{clean(' and '.join(words))}` for jobs with all of them, `{clean(' or '.join(words))}` for any"
    return UsageError(Problem(code="E150", message=f"`--tags {written}` cannot be parsed", hint=hint))
