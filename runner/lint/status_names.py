"""The status of a step or of a process, where an expression compares it with a word that it never is.

Such a comparison is never true, or with `!=` always: an expectation that could not fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.expressions.names import TextComparison
from runner.foundation.guids import is_guid
from runner.foundation.suggestions import suggest
from runner.foundation.values import Path
from runner.job.outline import Outline, RawStep
from runner.lint.name_mistakes import Mistake
from runner.lint.scopes import Scope
from runner.runs.events import Status

STATUSES_OF_A_STEP = tuple(status.value for status in Status)
_FOREIGN = {
    "success": "passed",
    "successful": "passed",
    "succeeded": "passed",
    "ok": "passed",
    "pass": "passed",
    "green": "passed",
    "done": "passed",
    "completed": "passed",
    "failure": "failed",
    "fail": "failed",
    "errored": "error",
    "cancelled": "error",
    "skip": "skipped",
}
_FOREIGN_TO_THE_LOG = {
    **dict.fromkeys(("completed", "complete", "success", "successful", "succeeded", "ok", "pass"), "done"),
    **dict.fromkeys(("passed", "finished", "ended", "2"), "done"),
    **dict.fromkeys(("failed", "failure", "fail", "errored", "faulted", "3"), "error"),
    **dict.fromkeys(("canceled", "aborted", "stopped", "4", "5"), "cancelled"),
    **dict.fromkeys(("started", "parked", "waiting", "in progress", "active", "1"), "running"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What a status can be, and ours for the words of others. `whose` says who has it."""

    known: tuple[str, ...]
    foreign: Mapping[str, str]
    whose: str


_OF_A_STEP = _Words(known=STATUSES_OF_A_STEP, foreign=_FOREIGN, whose="a step is")
STATUSES_OF_A_PROCESS = ("done", "error", "running", "cancelled", "queued", "inactive")
"""The words for a process [M]; a status of another id in the log stands as that id."""
_OF_A_PROCESS = _Words(known=STATUSES_OF_A_PROCESS, foreign=_FOREIGN_TO_THE_LOG, whose="a process is")


def asked_status(key: str | int) -> str | None:
    """The status that somebody asks for by a key of the step: `succeeded`, `failed`."""
    word = str(key).casefold().removeprefix("is_")
    return word if word in STATUSES_OF_A_STEP else _FOREIGN.get(word)


def status_mistake(compared: TextComparison, scope: Scope, known: Outline) -> Mistake | None:
    """What is wrong with the word that a status is compared with, None where it can be one."""
    words = _words(compared.path, scope, known)
    if words is None or compared.text in words.known or (words is _OF_A_PROCESS and is_guid(compared.text)):
        return None
    if compared.within:
        return _part_of_a_text(compared)
    near = words.foreign.get(compared.text.casefold()) or suggest(compared.text, words.known)
    near = near or words.foreign.get(suggest(compared.text, words.foreign) or "")
    listed = ", ".join(f"`{status}`" for status in words.known)
    hint = f"did you mean `{near}`?" if near else f"{words.whose} {listed}"
    return Mistake(code="E107", message=f"{words.whose} never `{compared.text}`", hint=hint, part=compared.text)


def _part_of_a_text(compared: TextComparison) -> Mistake:
    """`status in "passed, failed"` looks for a part of a text."""
    found = [f'"{part}"' for part in compared.text.replace(",", " ").split()]
    message = f"`in` looks for a part of the text `{compared.text}`, and a status is one word"
    hint = f"write a list: `in [{', '.join(found)}]`"
    return Mistake(code="E107", message=message, hint=hint, part=compared.text, warning=True)


def _words(path: Path, scope: Scope, known: Outline) -> _Words | None:
    """The words of the status that `path` leads to, None where it leads to none."""
    match path:
        case ("steps", _, "status"):
            return _OF_A_STEP
        case ("process_status",):
            return _OF_A_PROCESS
        case ("result", "status"):
            return _OF_A_PROCESS if _is_wait(scope.own_result) else None
        case ("steps", str() as name, "result", "status"):
            declared = known.by_id.get(name)
            return _OF_A_PROCESS if declared is not None and _is_wait(declared.step) else None
        case _:
            return None


def _is_wait(step: RawStep | None) -> bool:
    """Whether the step gives a row of the process log. With `for_each` its `result` is that of a turn in `expect`."""
    return step is not None and ("wait" in step.fields or "cancel" in step.fields)
