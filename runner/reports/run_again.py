"""Whether the job of a run can be run again, and what that starts a second time. While an outcome is unknown: no.

A `once` step has started something unless its call never left, or the service refused it.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from http import HTTPStatus

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.sentences import first_few, job_and_case, plural
from runner.foundation.shell_words import shell_word, shell_words
from runner.reports.next_steps import (
    NextStep,
    belongs_to_fleet,
    complete_command,
    confirmed,
    file_command,
    given_anew,
    in_store,
    input_words,
    inputs_of,
    next_steps,
    secrets_from_variables,
    sites_of,
    to_be_given,
    verb_command,
)
from runner.reports.safe import clean
from runner.reports.spans import RowSpan, SpanKind, TimedRow, TimedRun
from runner.reports.words import cleanup_left, doubt_sentence, labelled, own_error, run_title
from runner.runs.events import RunStatus, Section
from runner.runs.evidence import ApplyOrigin
from runner.runs.refused_starts import is_of_service
from runner.runs.result import RunResult
from runner.runs.status import Status

_MOST_KEYS = 5
_MOST_RUNS = 5
_OF_THE_FILE = frozenset({"E209", "E223"})  # codes of steps that did not pass by what the job's file says
_OFTEN_OF_THE_FILE = _OF_THE_FILE.union(
    {"E113", "E130", "E132", "E201", "E202", "E203", "E205", "E206", "E207", "E208", "E212", "E217"},
    {"E220", "E221", "E222"},
)
"""Codes of steps that failed whose cause is often in the job's file, and comes again as long as that says the same."""
_OFTEN_OF_THE_TARGET = frozenset({"E301", "E302", "E307"})
"""Codes of steps whose cause is often the address in targets.yaml: a rerun is refused where that has changed."""
_PROCESS_FAILED = "E203"
_JOB = "the file"
_JOB_OR_SITE = "the file, or the cause on the site"
_SIGN_IN = "the sign-in"
_TARGETS = "the target, if that is the cause"
_NOTHING_TWICE = "nothing starts twice that must happen only once"


class Safety(StrEnum):
    SAFE = "yes"
    CAREFUL = "careful"
    NOT_YET = "not yet"


class RunAgain(Struct, frozen=True, kw_only=True):
    """How a run can be carried out once more."""

    safety: Safety
    command: str = ""  # empty while that must not be
    repeated: tuple[tuple[str, Status], ...] = ()  # keys of rows that start a second time, and how they ended
    undone: tuple[str, ...] = ()  # keys of rows that start again, too, and were undone
    open: str = ""  # why it must not be yet
    by_hand: str = ""  # what a person has to do before
    secrets: tuple[str, ...] = ()  # inputs that are to be given anew
    variables: tuple[str, ...] = ()  # of the environment that gave others
    mended: str = ""  # carries out the files of now, if these may be mended
    faulty: str = ""  # what they held then

    @property
    def repeats(self) -> str:
        """What a new run starts again, in a sentence."""
        keys = [key for key, _ in self.repeated]
        undone = f"what was undone: {first_few([*map(clean, self.undone)], _MOST_KEYS)}" if self.undone else ""
        if keys:
            return f"{starts_again(keys)}{f', and {undone}' if undone else ''}"
        return f"it starts again {undone}" if undone else _NOTHING_TWICE

    @property
    def is_pointless_before(self) -> bool:
        """Whether it is to be mended first in any case: a few wrong sign-ins lock an account."""
        return self.faulty == _SIGN_IN


def run_again(run: TimedRun, *, with_values: bool = True) -> RunAgain:
    """How the run is carried out once more. A run of a fleet is applied once more, so that its ledger learns of it."""
    result = run.result
    if (doubt := doubt_sentence(result.steps)) or not result.finished:
        return RunAgain(
            safety=Safety.NOT_YET, open=doubt.removeprefix("in doubt: ") or "the run has not come to its end"
        )
    queued = belongs_to_fleet(result)
    applied = retry_command(result, with_values=with_values) if queued else ""
    faulty = "" if queued else _faulty(result)
    repeated = tuple(_repeated(run))
    return RunAgain(
        safety=Safety.CAREFUL if repeated else Safety.SAFE,
        command=(applied or complete_command("rerun", result)) if result.job else "",
        by_hand=cleanup_left(result),
        repeated=repeated,
        undone=undone_keys(run),
        secrets=() if queued else to_be_given(result),
        variables=() if queued else tuple(result.variables.values()),
        mended=_mended(run, with_values=with_values) if faulty else "",
        faulty=faulty,
    )


def rerun_steps(run: TimedRun) -> list[NextStep]:
    """The command that carries out a bad run once more, and what it repeats; nothing if that must not be."""
    again = run_again(run)
    if run.result.status is RunStatus.PASSED or not again.command:
        return []
    repeats = again.repeats
    mended = f"when you have mended {again.faulty}, this carries it out as it is now"
    does = "carries it out once more as it was, with its inputs"
    from_variables = secrets_from_variables(run.result)
    if belongs_to_fleet(run.result):
        from_variables, does = "", "queues it once more"
        does += "" if run.result.applied else "; give it `--fleet`, `--for` and `-i` as the `apply` before"
    steps = [NextStep(command=again.mended, does=f"{mended}; {repeats}")] if again.mended else []
    steps.append(NextStep(command=again.command, does=f"{does}; {repeats}{from_variables}"))
    if again.by_hand:
        steps = [replace(step, does=f"{again.by_hand}. Then: {step.does}") for step in steps]
    lacks_right = any(span.status == HTTPStatus.FORBIDDEN for row in run.rows for span in row.spans)
    return steps[::-1] if lacks_right else steps


def to_settle_or_rerun(run: TimedRun) -> list[str]:
    """For the text of a failure: the job's help, and the commands that settle a bad run, or carry it out once more."""
    if run.result.status is RunStatus.PASSED:
        return []
    lines = labelled("help of the job", run.result.help) if run.result.help else []
    for number, step in enumerate(next_steps(run.result) or rerun_steps(run)):
        lines += [f"{'or' if number else 'what next'}: {step.command}", f"  {step.does}"]
    return lines


def starts_again(keys: Sequence[str]) -> str:
    """The warning of steps that start a second time."""
    return f"careful, it starts again what must happen only once: {first_few([*map(clean, keys)], _MOST_KEYS)}"


def repeated_keys(run: TimedRun) -> tuple[str, ...]:
    """The rows that a new run of the job starts a second time, whether or not the run has come to its end."""
    return tuple(key for key, _ in _repeated(run))


def rerun_failed_steps(runs: Sequence[TimedRun], *, lacking: Sequence[tuple[str, str] | None] = ()) -> list[NextStep]:
    """The same of the runs of a command, with `rerun --failed`. `lacking`: file and target of what never began."""
    failed = [run for run in runs if run.result.status is not RunStatus.PASSED]
    found = [run_again(run) for run in failed]
    if any(belongs_to_fleet(run.result) for run in failed):
        return []
    if not all(again.command for again in found):
        return _each_alone(failed)
    results = [run.result for run in failed]
    of = results or [runs[0].result]
    options = f"{sites_of(*of)}{given_anew(*results)}{confirmed(*of)}"
    command = f"{verb_command('rerun', of[0].id, of[0].store)} --failed{options}"
    once_more = "carries out once more, as it was, what did not pass" if failed else ""
    begins = "begins what the command did not begin" if lacking else ""
    left = [run_title(result) for result in results if cleanup_left(result)]
    by_hand = f"first do by hand what {first_few(left, _MOST_KEYS)} left undone. Then: " if left else ""
    does = f"{', and '.join(filter(None, (once_more, begins)))}; {_repeats(found)}"
    read = secrets_from_variables(*results)
    steps = [*_mended_steps(results, found, [*filter(None, lacking)]), NextStep(command=command, does=f"{does}{read}")]
    return [replace(step, does=f"{by_hand}{step.does}") for step in steps]


def _each_alone(runs: Sequence[TimedRun]) -> list[NextStep]:
    """The likeliest command for each of the first runs, beside others that are to be settled first."""
    found = [(run, steps[0]) for run in runs if (steps := rerun_steps(run))]
    most = _MOST_RUNS if len(found) > _MOST_RUNS + 1 else len(found)
    alone = [replace(step, does=f"{run_title(run.result)}: {step.does}") for run, step in found[:most]]
    if more := len(found) - len(alone):
        store = found[0][0].result.store
        alone.append(
            NextStep(command=f"runner runs{in_store(store)}", does=f"lists {more} more runs that did not pass")
        )
    return alone


def _repeats(found: Sequence[RunAgain]) -> str:
    count = sum(len(again.repeated) for again in found)
    if count:
        return f"careful, it starts {plural(count, 'step')} again that must happen only once"
    return "it starts again what was undone" if any(again.undone for again in found) else _NOTHING_TWICE


def _mended_steps(
    results: Sequence[RunResult], found: Sequence[RunAgain], lacking: Sequence[tuple[str, str]]
) -> Iterator[NextStep]:
    """The command for all that did not pass, from the files of now, if some failed by their files."""
    mended = [(result, again) for result, again in zip(results, found, strict=True) if again.mended]
    if not mended:
        return
    faulty = list(dict.fromkeys(again.faulty for _, again in mended))
    places = [*((result.file, result.target.name) for result in results), *lacking]
    files = list(dict.fromkeys(clean(file) for file, _ in places))
    at = "".join(f" -t {shell_word(clean(name))}" for name in dict.fromkeys(name for _, name in places))
    inputs = f"{inputs_of(*results)}{given_anew(*results)}{confirmed(*results)}"
    command = (
        f"runner run {shell_words(files)}{at} --last-failed{in_store(results[0].store)}{sites_of(*results)}{inputs}"
    )
    where = " and ".join("the files" if each == _JOB and len(files) > 1 else each for each in faulty)
    never = " and what never began" if lacking else ""
    does = f"when you have mended {where}, this carries out what did not pass{never}, as it is "
    does += f"written now; {_repeats(found)}"
    yield NextStep(command=command, does=does)


def _faulty(result: RunResult) -> str:
    """Which file may be to blame; none of a run that `apply` ordered: that carries out a changed file by itself."""
    if result.applied is not None or not result.job:
        return ""
    errors = [(step.status, step.error.code) for step in result.steps if step.error is not None]
    if (error := own_error(result)) is not None:
        errors.append((Status.FAILED, error.code))
    codes = set() if result.target.sandbox else {code for _, code in errors}
    if "E303" in codes:  # what failed beside it may have lacked a result for that
        return _SIGN_IN
    of_the_file = {c for status, c in errors if c in (_OFTEN_OF_THE_FILE if status is Status.FAILED else _OF_THE_FILE)}
    if of_the_file == {_PROCESS_FAILED}:
        return _JOB_OR_SITE
    return _JOB if of_the_file else _TARGETS if codes & _OFTEN_OF_THE_TARGET else ""


def _mended(run: TimedRun, *, with_values: bool) -> str:
    """With `--last-failed`, what was refused and may have started all the same is searched for first."""
    result = run.result
    is_searched = any(span.is_unproved and span.effect == "once" for row in run.rows for span in row.spans)
    option = " --last-failed" if is_searched else ""
    inputs = f"{inputs_of(result, with_values=with_values)}{given_anew(result)}"
    return f"{file_command(result, options=option)}{inputs}{confirmed(result)}"


def retry_command(result: RunResult, *, with_values: bool = True) -> str:
    """The `apply` that queues the version of a fleet's run once more: with case, key and inputs, in its ledger."""
    origin, store = result.applied or ApplyOrigin(ledger="URL"), result.store
    words = ["runner", "apply", result.file, "-t", result.target.name]
    if result.applied is not None and result.case is not None:
        words += ["-k", job_and_case(result.job, result.case)]
    words += input_words(origin.inputs, with_values=with_values)
    words += ["--targets", origin.targets] if origin.targets is not None else []
    words += ["--for", origin.for_key] if origin.for_key is not None else []
    words += ["--retry", "failed", "--db", store.text if store is not None and store.is_fleet else origin.ledger]
    words += ["--fleet", origin.fleet] if origin.fleet else []
    return f"{shell_words(map(clean, words))}{confirmed(result)}"


def undone_keys(run: TimedRun) -> tuple[str, ...]:
    """The rows that a new run starts again, too, and that are no repetition: what they did is known to be undone."""
    return tuple(key for key, _ in _repeated(run, undone=True))


def _repeated(run: TimedRun, *, undone: bool = False) -> Iterator[tuple[str, Status]]:
    """The rows that have started what must not start twice: those that are known to be `undone`, or all others."""
    taken_back: dict[str, bool] = {}
    for step in (row.step for row in run.rows if row.step.section is Section.UNDO):
        is_done = step.status is Status.PASSED and not step.running
        for key in (step.key, step.key.rpartition("/")[0]):  # `undo/KEY`, or `undo/KEY/ID` of each step of a list
            taken_back[key] = is_done and taken_back.get(key, True)
    for row in run.rows:
        is_undone = taken_back.get(f"undo/{row.step.key}", False)
        if row.step.section is not Section.UNDO and is_undone is undone and _has_started(row):
            yield row.step.key, row.step.status


def _has_started(row: TimedRow) -> bool:
    """Whether the row has started something. A refusal speaks of its own call alone, not of the call before.

    A turned away call, and a proxy's refusal, end so only where nothing began, a fault also where no log was read. An
    inserted record has an Id of its run.
    """
    calls = (
        span
        for span in row.spans
        if span.kind is SpanKind.CALL and (span.effect == "once" or span.call.get("change") == "insert")
    )
    status, error = row.step.status, row.step.error

    def has_begun_nothing(span: RowSpan) -> bool:
        match span.why:
            case "refused":
                is_settled = error is not None and error.code == "E205" and not _is_unread_fault(row, span)
                return not span.is_unproved or is_settled
            case "turned_away":
                return status is Status.ERROR
            case why:
                return why == "not_sent"

    return not all(map(has_begun_nothing, calls))


def _is_unread_fault(row: TimedRow, refused: RowSpan) -> bool:
    """Whether a start ended in a fault of the service, and the log was not read after it."""
    is_fault = refused.call.get("kind") in ("execute", "run") and is_of_service(refused.status)
    later = row.spans[row.spans.index(refused) + 1 :]
    return is_fault and not any(span.call.get("kind") == "read_rows" and span.is_ok for span in later)
