"""Why nothing was selected, in words: what was asked for, and what there is."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.cli import left_out
from runner.cli.prepared import NOTHING, Wanted
from runner.cli.selection import by_tags, is_chosen, words_of
from runner.job.model import Case, Job
from runner.project import JOB_FILES, called
from runner.report.safe import clean
from runner.words import suggest

_LISTED = 8
_LIKE_AN_EXPRESSION = re.compile(r"[*?|]| (and|or) |^not ")


def no_jobs(specs: Sequence[Path]) -> str:
    """The sentence on folders that hold no job file, with the file or folder that may be meant."""
    places = ", ".join(clean(called(spec)) for spec in specs)
    near = next((hint for spec in specs if spec.is_dir() for hint in _meant(spec)), "")
    return f"there is no {JOB_FILES} in {places}" + (f"; {near}" if near else "")


def why(wanted: Wanted, jobs: Sequence[Job]) -> str:
    """Why no run of these jobs, which are all that were found, is carried out."""
    if not jobs:
        return f"{no_jobs(wanted.specs)}: {NOTHING}"
    runs = [(job, case) for job in jobs for case in _cases(job)]
    unfit = [
        *(_no_tag(wanted.tags, jobs) if wanted.tags is not None else ()),
        *(_no_name(wanted.keyword, runs) if wanted.keyword is not None else ()),
    ]
    if unfit:
        return f"{'; '.join(unfit)}: {NOTHING}"
    return f"no run fits both `--tags` and `-k`: {NOTHING}"


def _cases(job: Job) -> Sequence[Case | None]:
    return (None,) if job.cases is None else job.cases


def _meant(folder: Path) -> Iterable[str]:
    """Jobs by another name, and folders below that hold some: they are not entered."""
    inside = left_out.inside(folder)
    for path in inside:
        if (name := left_out.meant(path)) is not None:
            yield f"`{clean(path.name)}` is not read, unless it is called `{clean(name)}`"
    for below in inside:
        if next(below.glob(JOB_FILES), None) is not None:
            yield f"{clean(called(below))} has some, and folders below are not entered: name it"


def _no_tag(written: str, jobs: Sequence[Job]) -> Iterable[str]:
    fits = by_tags(written)
    if any(fits(job.tags) for job in jobs):
        return
    tags = sorted({tag for job in jobs for tag in job.tags})
    near = next((near for word in words_of(written) if word not in tags and (near := suggest(word, tags))), None)
    there_are = f"the tags are {_listed(tags)}" if tags else "the jobs have no tags"
    yield f"no job fits `--tags {clean(written)}`; " + (f"did you mean `{near}`?" if near else there_are)


def _no_name(keyword: str, found: Sequence[tuple[Job, Case | None]]) -> Iterable[str]:
    if any(is_chosen(job, case, tags=None, keyword=keyword) for job, case in found):
        return
    jobs = list(dict.fromkeys(job.name for job, _ in found))
    near = suggest(keyword, [*jobs, *(case.name for _, case in found if case is not None)])
    hint = f"did you mean `{clean(near)}`?" if near else f"the jobs are {_listed(jobs)}"
    if _LIKE_AN_EXPRESSION.search(keyword):
        hint = "`-k` takes a part of the name as it is; `--tags` takes words with `and`, `or`, `not`"
    yield f"no run is called like `{clean(keyword)}`; {hint}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(f"`{clean(name)}`" for name in names[:_LISTED]) + more
