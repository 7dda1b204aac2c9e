"""What a schema cannot say of a `failures`: the moment since which it counts, and patterns that no process matches."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from runner.catalogue.model import Catalogue
from runner.foundation import server_time
from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.sentences import listed
from runner.foundation.suggestions import did_you_mean
from runner.job.actions.failures import SINCE_RUN
from runner.job.outline import RawStep
from runner.lint.texts import Texts
from runner.reading.document import Document

_MOMENT = "write `run`, the id of an earlier step, or a moment with its time zone: `2026-12-31T18:00:00Z`"


def check_failures(step: RawStep, texts: Texts) -> None:
    written = record(step.fields.get("failures"))
    since, path = written.get("since"), (*step.path, "failures", "since")
    if isinstance(since, str) and "{{" not in since:
        _since(since, step, texts)
    if "failures" in step.fields and "timeout" in step.fields:
        message = "a `failures` watches for so long as its `for` says: `timeout` says nothing"
        texts.report("E107", message, (*step.path, "timeout"), at_key=True, hint="leave it out", warning=True)
    if isinstance(since, str) and since in texts.known.by_id and since == SINCE_RUN:
        hint = "give the step another id where it is meant"
        texts.report("E197", "`run` is the beginning of the run, not the step `run`", path, hint=hint, warning=True)


def _since(since: str, step: RawStep, texts: Texts) -> None:
    """Of a step that undoes another, the one that it undoes has begun by then."""
    if since == SINCE_RUN or server_time.of_record(since) is not None:
        return
    path = (*step.path, "failures", "since")
    declared = texts.known.by_id.get(since)
    if declared is None:
        earlier = [name for name, one in texts.known.by_id.items() if one.step.rank < step.rank]
        hint = did_you_mean(since, [SINCE_RUN, *earlier]) or _MOMENT
        texts.report("E197", f"`{since}` is no moment, and no step has this id", path, hint=hint)
    elif declared.step.rank >= step.rank + (step.undo is not None):
        texts.report("E197", f"step `{since}` has not begun by then", path, hint=_MOMENT)


def check_patterns(document: Document, step: RawStep, catalogue: Catalogue) -> Iterator[Problem]:
    """Patterns that no process of the target matches: a step that watches nothing would pass."""
    codes = sorted(catalogue.processes)
    for index, pattern in enumerate(items(record(step.fields.get("failures")).get("processes"))):
        if isinstance(pattern, str) and not any(fnmatchcase(code, pattern) for code in codes):
            message = f"{catalogue.name} has no process that `{pattern}` stands for"
            hint = did_you_mean(pattern, codes) or f"it has {listed(codes) or 'none'}"
            path = (*step.path, "failures", "processes", index)
            yield document.problem("E198", message, path=path, hint=hint)
