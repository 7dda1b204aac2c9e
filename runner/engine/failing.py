"""At which element a process failed: the log of elements is asked once, when it is known how the row ends.

That log only explains. It may be empty, since tracing can be off, or be refused; the row ends all the same.
"""

from dataclasses import replace

from runner.checks.failed_process import failed_element, sentence
from runner.engine import process_log
from runner.engine.attempt import Attempt
from runner.engine.effects import Running
from runner.engine.state import OpenRow, State
from runner.foundation.values import JsonObject
from runner.job.model import Step, Verify
from runner.runs.events import Trouble

_CODES = {"error": "E203", "cancelled": "E204"}


def why_failed(row: JsonObject, element: JsonObject | None = None) -> Trouble:
    """What a row of the process log says of a process that failed or was cancelled, and what its element says."""
    status, text = str(row["status"]), row.get("error")
    word = "failed" if status == "error" else "was cancelled"
    return Trouble(code=_CODES[status], message=sentence(word, text if isinstance(text, str) else None, element))


def at_its_element(state: State, row: OpenRow, step: Step, last: Attempt) -> Running[Attempt]:
    """`last`, with the element in its trouble where a process failed at one.

    A stop, or the end of the job's time, ends the row as it is known to have ended.
    """
    if last.failed_row is None or step.verify is Verify.NONE or state.log.refusal is not None:
        return last
    row.known = last
    elements = yield from process_log.elements_once(state, row.key, str(last.failed_row["id"]))
    row.known = None
    element = failed_element(elements)
    return last if element is None else replace(last, trouble=why_failed(last.failed_row, element))
