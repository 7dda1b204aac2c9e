"""The history of runs: a short line a run, which outlives the run.

It holds ids, counts, times, and of a failure its code and the start of its message, without what that quotes; no value.
The last line of a run counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import msgspec

from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import job_and_case, shortened
from runner.runs.result import RunResult, StepResult
from runner.runs.status import Status
from runner.runs.store import RunStore
from runner.secrets.shown import hide, visible

VERSION = 1
MOST_RUNS = 100  # runs of the same name that are stored: the newest
MOST_BYTES = 15 << 19  # of all names, 7.5 MiB; with what is appended before the next look it stays below 8 MiB
_STEP = 1 << 18  # each time that the history grows past a multiple of this, the oldest lines are dropped
_MOST_STEPS = 500
_MOST_CHARACTERS = 120
_MOST_TIMES = 4  # of a step with more turns: its shortest, median, 95th percentile and longest
_INDEX = lazy_pattern(r"\[\d+\]")
_QUOTED = lazy_pattern(r"\"[^\"\n]*\"|(?<!\w)'[^'\n]*'(?!\w)")
_RED = frozenset({Status.FAILED, Status.ERROR, Status.UNKNOWN})


class PastFailure(msgspec.Struct, frozen=True, array_like=True):
    code: str
    text: str


class PastStep(msgspec.Struct, frozen=True, array_like=True):
    """What became of a step in a run, over all turns of a loop."""

    passed: int
    flaky: int
    red: int
    skipped: int
    milliseconds: tuple[int, ...]  # of turns that passed, as far as known
    failure: PastFailure | None


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A line. `digest` and `commit` are beginnings; steps are named by their keys, with `[]` for every index."""

    v: int = VERSION
    run: str
    at: str
    job: str
    case: str | None
    target: str
    digest: str
    commit: str
    status: str
    ms: int
    steps: dict[str, PastStep]

    @property
    def title(self) -> str:
        return f"{self.job_and_case}@{self.target}"

    @property
    def job_and_case(self) -> str:
        return job_and_case(self.job, self.case)


class _Head(msgspec.Struct, frozen=True):
    """What has to be known of a line to keep or to drop it."""

    run: str
    job: str
    case: str | None
    target: str


_Line = TypeVar("_Line")
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(PastRun)
_head_decoder = msgspec.json.Decoder(_Head)


def remember(store: RunStore, result: RunResult) -> None:
    """Add a run that has ended, or was settled, to the history of its store. Raises `StoreError`."""
    if not result.job:
        return
    line = history_line(result)
    size = store.append_history(line)
    if size // _STEP != (size - len(line) - 1) // _STEP:
        store.change_history(bounded)


def past_runs(content: bytes) -> list[PastRun]:
    """The runs of a history, the oldest first; what is no line of this version is passed over."""
    found: dict[str, PastRun] = {}
    for run, _ in _read(content, _decoder):
        if run.v == VERSION:
            found[run.run] = run
    return [found[run] for run in sorted(found)]


def bounded(content: bytes) -> bytes:
    """The same history within its bounds: each run once, of each name the newest, in the order of their ids."""
    last = {head.run: (head, line) for head, line in _read(content, _head_decoder)}
    newest: list[bytes] = []
    of_name: Counter[tuple[str, str | None, str]] = Counter()
    size = 0
    for run in sorted(last, reverse=True):
        head, line = last[run]
        name = head.job, head.case, head.target
        of_name[name] += 1
        if of_name[name] > MOST_RUNS:
            continue
        size += len(line) + 1
        if size > MOST_BYTES:
            break
        newest.append(line)
    return b"".join(line + b"\n" for line in reversed(newest))


def _read(content: bytes, decoder: "msgspec.json.Decoder[_Line]") -> Iterator[tuple[_Line, bytes]]:
    """What the decoder reads of each line, with the line; what it cannot read is passed over."""
    for line in content.splitlines():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield decoder.decode(line), line


def history_line(result: RunResult) -> bytes:
    """The line of a run, without its line end."""
    return _encoder.encode(
        PastRun(
            run=result.id,
            at=result.started_at,
            job=result.job,
            case=result.case,
            target=result.target.name,
            digest=result.digest.removeprefix("sha256:")[:16],
            commit=(result.commit or "")[:12],
            status=str(result.status),
            ms=round(result.seconds * 1000),
            steps=dict(_steps(result.steps)),
        )
    )


def _steps(steps: Iterable[StepResult]) -> Iterator[tuple[str, PastStep]]:
    turns: dict[str, list[StepResult]] = {}
    for step in steps:
        key = _INDEX.sub("[]", step.key) if "[" in step.key else step.key
        if key in turns or len(turns) < _MOST_STEPS:
            turns.setdefault(key, []).append(step)
    for key, found in turns.items():
        passed = [step for step in found if step.status is Status.PASSED]
        red = [step for step in found if step.status in _RED]
        yield (
            key,
            PastStep(
                passed=len(passed),
                flaky=sum(step.flaky for step in passed),
                red=len(red),
                skipped=len(found) - len(passed) - len(red),
                milliseconds=_times(sorted(round(step.seconds * 1000) for step in passed if not _is_verdict(step))),
                failure=next((failure for step in red if (failure := _failure(step)) is not None), None),
            ),
        )


def _is_verdict(step: StepResult) -> bool:
    """Whether the row passed by a person's verdict: when it did is not known."""
    return step.judged is not None and step.judged.verdict == "passed"


def _times(milliseconds: list[int]) -> tuple[int, ...]:
    if len(milliseconds) <= _MOST_TIMES:
        return tuple(milliseconds)
    return tuple(milliseconds[int(share * (len(milliseconds) - 1))] for share in (0, 0.5, 0.95, 1))


def _failure(step: StepResult) -> PastFailure | None:
    if step.error is None:
        return None
    that = next((check.that for check in step.checks if not check.passed), None)
    text = str(hide(that or step.error.message))
    line = visible(text if that else _QUOTED.sub("…", text))
    return PastFailure(code=step.error.code, text=shortened(line, _MOST_CHARACTERS))
