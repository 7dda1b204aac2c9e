"""A person's verdict on a row in doubt, as a command line gives it: checked before anything is sent."""

from pathlib import Path
from typing import NoReturn

from runner.engine.lost import is_only_an_output, not_in_result
from runner.foundation.problems import Problem, UsageError
from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject
from runner.job.model import Job
from runner.reading.files import read_bytes
from runner.reports.safe import clean
from runner.reports.words import doubtful, run_title
from runner.runs.result import RunResult
from runner.service import bodies

_PASSED, _RETRY = "passed", "retry"
_NAMED = 5
_NOTHING_IN_DOUBT = "nothing of this run is in doubt; `runner runs` lists the runs, each with what it needs next"


def checked_verdicts(
    run: RunResult, key: str | None, verdict: str | None, written: str | None, *, even_though: bool
) -> dict[str, JsonObject]:
    """A person's verdict by its row's key. Raises `UsageError` for a verdict that cannot be given."""
    if even_though and verdict != _RETRY:
        _refuse("`--even-though` goes with `--as retry` only", "it sends a call again although the log shows a start")
    if key is None and verdict is None and written is None:
        return {}
    if key is None or verdict is None:
        hint = "`--step KEY --as passed` says that the step of this key has passed"
        raise UsageError(Problem(code="E150", message="a verdict needs both `--step` and `--as`", hint=hint))
    _check_row(key, run)
    if verdict == _RETRY and run.closing:
        _refuse(
            "`retry` comes too late: the run's steps are over, and `finally` may have deleted what they use",
            "`--as passed` or `--as failed` settles it; then `runner show` has the command that begins it again",
        )
    if even_though:
        return {key: {"as": verdict, "even_though": True}}
    if written is None:
        return {key: {"as": verdict}}
    if verdict != _PASSED:
        _refuse(f"`--result` does not go with `--as {verdict}`", "only a step that has passed gives a result")
    return {key: {"as": verdict, "result": _value(written)}}


def _check_row(key: str, result: RunResult) -> None:
    keys = [step.key for step in doubtful(result.steps)]
    if key in keys:
        return
    near = suggest(key, keys)
    listed = ", ".join(f"`{clean(other)}`" for other in keys[:_NAMED]) + (" and others" if len(keys) > _NAMED else "")
    hint = f"name what is in doubt: {listed}" if keys else _NOTHING_IN_DOUBT
    status = next((f": it is {step.status}" for step in result.steps if step.key == key), "")
    if any(other.startswith((f"{key}/", f"{key}[")) for other in keys):
        status = " itself: a part of it is"
    if near and not status:
        hint = f"did you mean `{near}`? in doubt: {listed}"
    _refuse(f"no step `{clean(key)}` of {run_title(result)} ({clean(result.id)}) is in doubt{status}", hint)


def _value(written: str) -> Json:
    """The value, read as an answer of the site."""
    if written.startswith("@"):
        written = _file_text(written[1:])
    try:
        return bodies.parsed(written)
    except bodies.NotJsonError:
        hint = "a text has quotes of its own: `--result '\"text\"'`; where a shell takes them away, `--result @FILE`"
        _refuse("`--result` is no JSON", hint)
    except bodies.NonsenseError as error:
        _refuse("`--result` cannot be kept", str(error))


def _file_text(name: str) -> str:
    try:
        return read_bytes(Path(name)).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8"
        _refuse(f"the file `{clean(name)}` of `--result` cannot be read: {reason}", "name a file with the JSON in it")


def _refuse(message: str, hint: str) -> NoReturn:
    raise UsageError(Problem(code="E158", message=message, hint=hint))


def check_results(verdicts: dict[str, JsonObject], job: Job, run: RunResult) -> None:
    """Refuse a `passed` without a result that the job needs, and a result without what the job takes out of it."""
    lacking_result = {step.key for step in run.steps if step.needs_result}
    for key, verdict in verdicts.items():
        is_needed = key in lacking_result and not is_only_an_output(job, key)
        if verdict == {"as": _PASSED} and is_needed:
            hint = "`--result JSON` hands it in, as the process gave it; `--as failed` lets the run end"
            _refuse(f"the job needs what `{key}` gave, and a verdict alone does not give it", hint)
        if "result" in verdict and (lacking := not_in_result(job, key, verdict["result"])) is not None:
            hint = "hand the result in as the process gave it, whole"
            _refuse(f"the job uses `{clean(lacking)}`, which is not in that `--result`", hint)
