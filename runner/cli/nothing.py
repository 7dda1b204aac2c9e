"""Why nothing was selected, in words: what was asked for, and what there is."""

import re
from collections.abc import Iterable, Sequence

from runner.cli import ignored_files
from runner.cli.prepared import NOTHING, Wanted
from runner.cli.selection import by_tags, is_chosen, words_of
from runner.foundation.sentences import listed
from runner.foundation.suggestions import suggest
from runner.job.model import Case, Job
from runner.reports.safe import clean

_LIKE_AN_EXPRESSION = re.compile(r"[*?|]| (and|or) |^not ")


def why(wanted: Wanted, jobs: Sequence[Job]) -> str:
    """Why no run of these jobs, which are all that were found, is carried out."""
    if not jobs:
        return f"{ignored_files.no_jobs(wanted.specs)}: {NOTHING}"
    runs = [(job, case) for job in jobs for case in _cases(job)]
    unfit = [
        *(_no_tag(wanted.tags, jobs) if wanted.tags is not None else ()),
        *_no_name(wanted.keywords, runs),
    ]
    if unfit:
        return f"{'; '.join(unfit)}: {NOTHING}"
    return f"no run fits both `--tags` and `-k`: {NOTHING}"


def _cases(job: Job) -> Sequence[Case | None]:
    return (None,) if job.cases is None else job.cases


def _no_tag(written: str, jobs: Sequence[Job]) -> Iterable[str]:
    fits = by_tags(written)
    if any(fits(job.tags) for job in jobs):
        return
    tags = sorted({tag for job in jobs for tag in job.tags})
    near = next((near for word in words_of(written) if word not in tags and (near := suggest(word, tags))), None)
    there_are = f"the tags are {listed([*map(clean, tags)])}" if tags else "the jobs have no tags"
    yield f"no job fits `--tags {clean(written)}`; " + (f"did you mean `{near}`?" if near else there_are)


def _no_name(keywords: Sequence[str], found: Sequence[tuple[Job, Case | None]]) -> Iterable[str]:
    if not keywords or any(is_chosen(job, case, tags=None, keywords=keywords) for job, case in found):
        return
    keyword = keywords[0]
    jobs = list(dict.fromkeys(job.name for job, _ in found))
    near = suggest(keyword, [*jobs, *(case.name for _, case in found if case is not None)])
    hint = f"did you mean `{clean(near)}`?" if near else f"the jobs are {listed([*map(clean, jobs)])}"
    if _LIKE_AN_EXPRESSION.search(keyword):
        hint = "`-k` takes a part of the name as it is; `--tags` takes words with `and`, `or`, `not`"
    written = " or ".join(f"`{clean(one)}`" for one in keywords)
    yield f"no run is called like {written}; {hint}"
