"""The words that reports share: what a run is called, why a row did not pass, what an exit code means.

Everything that came from outside has passed through `runner.reports.safe` when it leaves here.
"""

from collections.abc import Sequence

from runner.foundation.problems import ExitCode
from runner.foundation.values import Json, compact
from runner.reports.safe import clean, safe
from runner.reports.traces import without_trace
from runner.runs.events import Status, Trouble
from runner.runs.result import RunResult, StepResult
from runner.secrets.redact import hide

LONGEST_VALUE = 200
"""Characters of a value that are printed where a person reads; files hold it whole."""

RED = frozenset({Status.FAILED, Status.ERROR, Status.UNKNOWN})
"""How a row ends that did not pass. One that was skipped is no bad news by itself."""

_MEANING = {
    ExitCode.PASSED: "everything selected passed",
    ExitCode.FAILED: "an expectation or a process failed",
    ExitCode.INVALID: "bad usage or an invalid file",
    ExitCode.NO_ANSWER: "no usable answer",
    ExitCode.UNKNOWN: "an outcome is unknown: the process log or a person must settle it",
    ExitCode.NOTHING_SELECTED: "nothing was selected, so nothing ran",
    ExitCode.REFUSED: "refused by a guard",
    ExitCode.FAULT: "a fault of this program",
    ExitCode.HUNG_UP: "stopped by a hang-up",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
}
_SKIPPED_BECAUSE = {
    "condition": "its `if` is false",
    "stopped": "the run had been stopped",
    "nothing": "`for_each` gave nothing, so nothing was expected",
}


def meaning(code: ExitCode) -> str:
    """What an exit code says, in words."""
    return _MEANING[code]


def meaning_of(result: RunResult) -> str:
    """What the exit code says of this run: where nothing of it went wrong, but it is not whole, that."""
    if result.exit_code is ExitCode.NO_ANSWER and not result.finished:
        return "the run has not come to its end"
    if result.exit_code is ExitCode.FAILED and result.error is not None and result.error.code == "E312":
        return "the job was not carried out whole"
    return meaning(result.exit_code)


def brief(value: Json) -> str:
    """A value as one safe line of JSON, cut where it grows long."""
    return shortened(safe(compact(hide(value))))


def shortened(text: str, limit: int = LONGEST_VALUE) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def title(result: RunResult) -> str:
    """`job[case]@target`, as a run is called in reports; of a run whose first line is lost, its id."""
    if not result.job:
        return clean(result.id) or "a run without a name"
    case = "" if result.case is None else f"[{clean(result.case)}]"
    return f"{clean(result.job)}{case}@{clean(result.target.name)}"


def counted(counts: dict[Status, int]) -> str:
    """`5 passed, 1 failed`; statuses that no row has are left out."""
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "no step"


def because(step: StepResult) -> str:
    """Why a row was skipped."""
    if step.skipped_by is not None:
        return f"`{clean(step.skipped_by)}` had stopped the run"
    reason = step.reason or ""
    return _SKIPPED_BECAUSE.get(reason) or clean(reason) or "no reason is known"


def in_doubt(steps: Sequence[StepResult]) -> str:
    """The sentence on rows whose outcome nobody knows, or whose result is lost; empty where there is none."""
    found = doubtful(steps)
    open_rows, lost = ([step for step in found if is_lost(step) is which] for which in (False, True))
    told = [f"{_listed(open_rows)} may or may not have happened"] if open_rows else []
    told += [f"{_listed(lost)} happened, and what it gave is lost"] if lost else []
    return f"in doubt: {'; '.join(told)}" if told else ""


def is_lost(step: StepResult) -> bool:
    """Whether it is known that the row passed, and only its result is not."""
    return step.error is not None and step.error.code == "E402"


def _listed(steps: Sequence[StepResult], limit: int = 5) -> str:
    keys = [clean(step.key) for step in steps]
    return ", ".join(keys[:limit]) + (f" and {len(keys) - limit} more" if len(keys) > limit else "")


def doubtful(steps: Sequence[StepResult]) -> tuple[StepResult, ...]:
    """The rows whose outcome nobody knows: of one that has parts, the parts."""
    unknown = [step for step in steps if step.status is Status.UNKNOWN]
    return tuple(step for step in unknown if not any(_is_part(other, step) for other in unknown))


def _is_part(step: StepResult, whole: StepResult) -> bool:
    return step.key.startswith((f"{whole.key}/", f"{whole.key}["))


def said(label: str, text: str) -> list[str]:
    """`label: text` as safe lines; where the text has several, those after the first stand behind a bar."""
    whole = safe(str(hide(text)).replace("\r\n", "\n").strip("\n"), keep_lines=True)
    return f"{label}: {whole}".replace("\n", "\n  | ").split("\n")


def of_trouble(trouble: Trouble) -> list[str]:
    """`E305: no answer in time`, and its hint on a line of its own."""
    hint = said("hint", trouble.hint) if trouble.hint else []
    return said(clean(trouble.code), trouble.message) + hint


def reasons(step: StepResult, *, traces: bool = True) -> list[str]:
    """Why a row did not pass: its error, then failed expectations that the error does not tell already.

    Without `traces` a stack trace in the error is left out.
    """
    error = step.error
    if error and not traces:
        error = Trouble(code=error.code, message=without_trace(error.message), hint=error.hint)
    lines = of_trouble(error) if error else []
    known = step.error.message if step.error else ""
    for check in step.checks:
        message = check.message or f"`{check.that}`"
        if not check.passed and message not in known:
            lines += said("not met", message)
    return lines


def remarks(step: StepResult) -> list[str]:
    """What else a file tells of a row: expectations that were met, its process, help where it is needed, warnings."""
    lines = [line for check in step.checks if check.passed for line in said("met", check.that)]
    if step.flaky:
        lines.append(f"flaky: it passed at attempt {step.attempts} only")
    if step.verified == "inferred":
        lines.append("settled from the process log")
    return lines + process_and_help(step) + warnings(step)


def process_and_help(step: StepResult) -> list[str]:
    """What helps a person to go on from a row that did not pass."""
    lines = said("process", step.process_id) if step.process_id else []
    return lines + said("help", step.help) if step.help and step.status in RED else lines


def warnings(step: StepResult) -> list[str]:
    return [line for warning in step.warnings for line in said("warning", warning)]
