"""The status of a step, where an expression compares it with a word that no step ever has: it would never be true."""

from runner.events import Status
from runner.job.rules.name_mistakes import Mistake
from runner.template.names import Compared
from runner.words import suggest

_STATUSES = tuple(status.value for status in Status)
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
_LENGTH = 3
"""`steps`, an id, `status`."""


def asked_status(key: str | int) -> str | None:
    """The status that somebody asks for by a key of the step: `succeeded`, `failed`."""
    word = str(key).casefold().removeprefix("is_")
    return word if word in _STATUSES else _FOREIGN.get(word)


def status_mistake(compared: Compared) -> Mistake | None:
    """What is wrong with the word that a step's status is compared with, None where it can be one."""
    path = compared.path
    if len(path) != _LENGTH or path[0] != "steps" or path[2] != "status" or compared.text in _STATUSES:
        return None
    word = compared.text.casefold()
    near = _FOREIGN.get(word) or suggest(compared.text, _STATUSES)
    listed = ", ".join(f"`{status}`" for status in _STATUSES)
    hint = f"did you mean `{near}`?" if near else f"a step is {listed}"
    return Mistake(code="E107", message=f"a step is never `{compared.text}`", hint=hint, part=compared.text)
