"""The status of a step or of a process, compared with a word that it never is.

Such a comparison is never true, or with `!=` always: an expectation that could not fail.
"""

from typing import Literal

from msgspec import Struct

from runner.expressions.names import TextComparison
from runner.foundation import hints
from runner.foundation.guids import is_guid
from runner.foundation.near_misses import folded
from runner.foundation.problems import Finding
from runner.foundation.suggestions import suggest
from runner.foundation.values import Path
from runner.job.outline import RawStep
from runner.lint.places import NameScope
from runner.runs.process_status import PROCESS_STATUSES
from runner.runs.status import Status

STEP_STATUSES = tuple(status.value for status in Status)


class _Words(Struct, frozen=True, kw_only=True):
    """What a status can be; `table` has what other tools call it."""

    known: tuple[str, ...]
    table: Literal["step_status", "process_status"]
    whose: str


_STEP = _Words(known=STEP_STATUSES, table="step_status", whose="a step is")
_PROCESS = _Words(known=tuple(PROCESS_STATUSES), table="process_status", whose="a process is")


def asked_status(key: str | int) -> str | None:
    """The status that a key of a step asks for: `succeeded`, `failed`."""
    word = str(key).casefold().removeprefix("is_")
    return word if word in STEP_STATUSES else hints.words("names", "step_status", room="lint").get(word)


def wrong_status(compared: TextComparison, scope: NameScope) -> Finding | None:
    """What is wrong with the word that a status is compared with, None where it can be a status."""
    words = _words(compared.path, scope)
    if words is None or compared.text in words.known or (words is _PROCESS and is_guid(compared.text)):
        return None
    hint, warning = None, compared.within
    if compared.within:  # `status in "passed, failed"`
        message = f"`in` looks for a part of the text `{compared.text}`, and a status is one word"
        listed = ", ".join(f'"{part}"' for part in compared.text.replace(",", " ").split())
        hint = f"write a list: `in [{listed}]`"
    else:
        others = hints.words("names", words.table, room="lint")
        near = others.get(folded(compared.text)) or suggest(compared.text, words.known)
        near = near or others.get(suggest(compared.text, others) or "")
        listed = ", ".join(f"`{status}`" for status in words.known)
        message = f"{words.whose} never `{compared.text}`"
        hint = f"did you mean `{near}`?" if near else f"write one of {listed}"
    return Finding(code="E107", message=message, hint=hint, part=compared.text, warning=warning, line=compared.line)


def _words(path: Path, scope: NameScope) -> _Words | None:
    """The words of the status that `path` leads to, None where it leads to none."""
    match path:
        case ("steps", _, "status"):
            return _STEP
        case ("process_status",):
            return _PROCESS
        case ("result", "status") if _is_wait(scope.own_result):
            return _PROCESS
        case ("steps", str() as name, "result", "status") if name in scope.job.by_id:
            return _PROCESS if _is_wait(scope.job.by_id[name].step) else None
        case _:
            return None


def _is_wait(step: RawStep | None) -> bool:
    """Whether the step gives a row of the process log. With `for_each` its `result` is that of a turn in `expect`."""
    return step is not None and ("wait" in step.fields or "cancel" in step.fields)
