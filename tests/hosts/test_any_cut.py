"""Any job, any answers, broken off anywhere: what a resumed run comes to, and that nothing happens twice."""

import json
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from any_jobs import AnyRun, AnySite, Break, Outcome, any_runs, carried
from examples import some
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from journals import EVENTS, read
from msgspec.structs import replace
from stories import refused

from runner.engine.perform import LATE_SECONDS
from runner.foundation.values import JsonObject
from runner.hosts.judgement import Judgement
from runner.hosts.replay import ForgottenError
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallSent,
    Line,
    Paused,
    RunClosing,
    RunFinished,
    RunResumed,
    RunStatus,
    time_of,
)
from runner.runs.facts import facts
from runner.runs.result import RunResult, fold
from runner.runs.status import Status
from runner.secrets.shown import hide
from runner.service.calls import Answered

pytestmark = pytest.mark.slow

many = settings(
    max_examples=40,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink such a case takes minutes, and helps little
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

breaks = st.lists(
    st.builds(Break, lines=st.integers(0, 99), left=st.booleans(), torn=st.integers(0, 400)), min_size=1, max_size=3
)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def undisturbed(where: Path, run: AnyRun) -> RunResult:
    assert not carried(where / "whole", AnySite(run=run))
    return fold(read(where / "whole").lines)


def broken_and_resumed(where: Path, site: AnySite, cuts: list[Break], *, judgement: Judgement | None = None) -> bool:
    """The run, broken off at each of `cuts`, and resumed each time. False where it cannot be gone on with."""
    whole = (where / "whole" / EVENTS).read_bytes().splitlines()
    written = 0
    try:
        for cut in cuts:
            at = replace(cut, lines=place_of(cut, whole[written:]))
            if carried(where / "cut", site, judgement=judgement, breaks=at):
                written = (where / "cut" / EVENTS).read_bytes().count(b"\n")
                tear(where / "cut" / EVENTS, whole[min(written, len(whole) - 1)], cut.torn)
        carried(where / "cut", site, judgement=judgement)
    except ForgottenError:
        return False
    return True


def place_of(cut: Break, lines: list[bytes]) -> int:
    """How many of the lines are written: `cut.lines` counts those behind which it may break, if there are any.

    With `left` these are calls that must not happen twice: few lines are, and there it matters most.
    """
    wanted = b'"effect":"once"' if cut.left else b'"type"'
    places = [number for number, line in enumerate(lines, 1) if wanted in line] or [1 + cut.lines % (len(lines) + 1)]
    return places[cut.lines % len(places)]


def tear(file: Path, line: bytes, size: int) -> None:
    """Let a further line have been begun: that of the undisturbed run, cut off somewhere."""
    with file.open("ab") as writing:
        writing.write(line[:size])


QUEUED = AnyRun(
    files={
        "any.job.yaml": '{"runner": 1, "name": "any", "steps": [{"id": "a", "effect": "idempotent", "run": {"process": '
        '"UsrA", "results": ["Out"]}}]}'
    },
    answers={"UsrA": (Outcome(ending=Answered(value=[1]), row="cancelled", hidden=1),)},
    log="flaky",
)


@many
@given(run=any_runs(), cuts=breaks)
@example(run=QUEUED, cuts=[Break(lines=18), Break(lines=85)])
def test_a_run_that_broke_off_anywhere_ends_as_if_undisturbed_or_as_unknown(run: AnyRun, cuts: list[Break]) -> None:
    with folder() as where:
        expected = undisturbed(where, run)
        site = AnySite(run=run)
        if not broken_and_resumed(where, site, cuts):
            return
        found = fold(read(where / "cut").lines)
        assert found.finished
        if found.status is not RunStatus.UNKNOWN and not cannot_be_proved(found):
            hidden = hidden_in(found) | hidden_in(expected)
            assert outcome(found, besides=found, hidden=hidden) == outcome(expected, besides=found, hidden=hidden)


def cannot_be_proved(result: RunResult) -> bool:
    """Whether a call that may be repeated has ended as an error, since no time tells after a break whose a row is."""
    errors = (step.error for step in result.steps if step.status is Status.ERROR)
    unproved = ("nothing shows how the process ended", "not verified: ")
    return any(error is not None and error.message.startswith(unproved) for error in errors)


def hidden_in(result: RunResult) -> frozenset[str]:
    """The rows whose results hold a secret: one that was lost by a break is hidden in no later row that repeats it."""
    return frozenset(step.key for step in result.steps if "***" in str(hide(step.result)))


def outcome(result: RunResult, *, besides: RunResult, hidden: frozenset[str]) -> dict[str, object]:
    """What a run came to, without what an interruption may change: times, and what the log was asked.

    Of a row that the log has settled in `besides` nobody knows the result. One that passed needs none then; what uses
    that of one that failed, the run's outputs perhaps, goes without it. A result in `hidden` counts for nothing.
    """
    lost = {step.key for step in besides.steps if step.verified == "inferred" or step.key in hidden}
    inferred = lost - hidden
    failed = next((step.key for step in besides.steps if step.key in inferred and step.status is Status.FAILED), None)
    rows: dict[str, object] = {}
    for step in result.steps:
        rows[step.key] = (step.status, step.outputs, step.reason, None if step.key in lost else hide(step.result))
        if step.key == failed:
            return {**rows, "run": (result.status, result.exit_code)}
    return {**rows, "run": (result.status, result.exit_code, result.undo, result.outputs)}


judgements = st.builds(
    lambda said, hold, look_again: (said, hold, look_again),
    st.sampled_from([None, None, "retry", "passed", "failed"]),
    st.booleans(),
    st.booleans(),
)


@many
@given(run=any_runs(timed=True), cuts=breaks, judged=judgements, stops_at=st.none() | st.integers(1, 20))
def test_no_call_that_must_not_happen_twice_is_sent_twice(
    run: AnyRun, cuts: list[Break], judged: tuple[str | None, bool, bool], stops_at: int | None
) -> None:
    said, hold, look_again = judged
    with folder() as where:
        expected = undisturbed(where, run)
        verdicts: dict[str, JsonObject] = {} if said is None else {step.key: {"as": said} for step in expected.steps}
        site = AnySite(run=run, stops_at=stops_at)
        judgement = Judgement(verdicts=verdicts, hold=hold, look_again=look_again)
        broken_and_resumed(where, site, cuts, judgement=judgement)
        lines = read(where / "cut").lines
        assert_nothing_twice(lines)
        for key, times in once(site.arrived).items():
            assert times <= once(line.event for line in lines)[key], f"{key} left without a line in the journal"


def assert_nothing_twice(lines: Sequence[Line]) -> None:
    """Between two calls of a row lies that the first never left, or a person's word."""
    may_have_happened: set[str] = set()
    last: dict[str, str] = {}
    for line in lines:
        match line.event:
            case CallSent(key=key, effect=effect):
                last[key] = effect
                if effect == "once":
                    assert key not in may_have_happened, f"line {line.seq} sends {key} again"
                    may_have_happened.add(key)
            case AttemptFailed(key=key, kind="not_sent") if last[key] == "once":
                may_have_happened.discard(key)
            case Asked(value={"as": "retry", "key": str(key)}):
                may_have_happened.discard(key)
            case _:
                pass


def once(events: Iterable[AnyEvent]) -> Counter[str]:
    return Counter(event.key for event in events if isinstance(event, CallSent) and event.effect == "once")


@many
@given(run=any_runs(timed=True), cuts=breaks, stops_at=st.none() | st.integers(1, 20))
def test_no_deadline_is_exceeded_by_more_than_one_reading(run: AnyRun, cuts: list[Break], stops_at: int | None) -> None:
    """The `finally` of an included job is carried out before the turning point, in the time of the clean-up."""
    with folder() as where:
        undisturbed(where, run)
        broken_and_resumed(where, AnySite(run=run, stops_at=stops_at), cuts)
        made = run.plan()
        assert made.job.timeout is not None
        for name in ("whole", "cut"):
            lines = [line.event for line in read(where / name).lines]
            turned = next((place for place, event in enumerate(lines) if isinstance(event, RunClosing)), len(lines))
            ended = next((place for place, event in enumerate(lines) if isinstance(event, RunFinished)), len(lines))
            begun = last_time(lines[: turned + 1])
            if not any('"finally"' in text for name, text in run.files.items() if name.startswith("inner")):
                assert_in_time(lines[: turned + 1], ends=made.job.timeout)
            assert_in_time(lines[turned : ended + 1], ends=begun + made.job.cleanup_timeout)
            assert begun <= made.job.timeout + made.job.cleanup_timeout + LATE_SECONDS + ROUNDING


def assert_in_time(events: Sequence[AnyEvent], *, ends: float) -> None:
    """Nothing begins when the time is over, but for one reading of the log, before which we may ask who we are."""
    t, late = 0.0, Counter[str]()
    before: AnyEvent | None = None
    for event in (event for event in events if not isinstance(event, RunResumed)):
        is_anew = before is not None and facts(event) == facts(before)  # sent once more after a break
        if isinstance(event, CallSent) and t >= ends and not is_anew:
            late[str(event.call["kind"])] += 1
        t = max(t, last_time([event]))
        before = event
    of_log = {"read_rows", "read_row", "who_am_i", "who_is_user", "find_process"}
    of_versions = {"find_family", "find_hidden_family", "read_family"}
    assert late.keys() <= of_log | of_versions
    assert late["read_rows"] + late["read_row"] <= 1
    assert t <= ends + (LATE_SECONDS if late else 0.0) + ROUNDING


def last_time(events: Sequence[AnyEvent]) -> float:
    """The latest time that events tell."""
    return max(map(time_of, events), default=0.0)


@st.composite
def retries(draw: st.DrawFn) -> JsonObject:
    seconds = st.integers(1, 60).map(lambda number: f"{number}s")
    return {
        "max_attempts": draw(st.integers(2, 6)),
        "initial": draw(seconds),
        "factor": draw(st.floats(1, 4)),
        "max": draw(seconds),
        "jitter": draw(st.floats(0, 1)),
        "on": ["refused"],
    }


@settings(max_examples=some(60), deadline=None)
@given(retry=retries(), asked=st.none() | st.floats(0, 100), draws=st.lists(st.floats(-1, 1), min_size=1))
def test_pauses_stay_within_their_bounds(retry: JsonObject, asked: float | None, draws: list[float]) -> None:
    step: JsonObject = {"execute": {"process": "UsrA"}, "effect": "read", "verify": "none", "retry": retry}
    run = refusing(step, after=asked, draws=draws)
    (planned,) = run.plan().steps
    policy = planned.step.retry
    for number, paused in enumerate(pauses_of(run)):
        nominal = min(policy.initial * policy.factor**number if asked is None else asked, policy.max)
        assert abs(paused - nominal) <= nominal * policy.jitter + ROUNDING
        assert math.isclose(paused, nominal * (1 + policy.jitter * draws[number % len(draws)]), abs_tol=ROUNDING)


@settings(max_examples=some(60), deadline=None)
@given(retry=retries(), asked=st.none() | st.floats(0, 100), draws=st.lists(st.floats(-1, 1), min_size=1))
def test_no_pause_leads_beyond_the_time_of_the_job(retry: JsonObject, asked: float | None, draws: list[float]) -> None:
    step: JsonObject = {"execute": {"process": "UsrA"}, "effect": "read", "verify": "none", "retry": retry}
    with folder() as where:
        result = undisturbed(where, refusing(step, after=asked, draws=draws, rest={"timeout": "20s"}))
    assert result.seconds <= 20 + ROUNDING


def refusing(step: JsonObject, *, after: float | None, draws: list[float], rest: JsonObject | None = None) -> AnyRun:
    """A job of one step, and a site that refuses it each time."""
    job: JsonObject = {"runner": 1, "name": "any", **(rest or {}), "steps": [step]}
    refusals = (Outcome(ending=refused(429, retry_after=after)),)
    return AnyRun(files={"any.job.yaml": json.dumps(job)}, answers={"UsrA": refusals}, draws=draws)


def pauses_of(run: AnyRun) -> list[float]:
    with folder() as where:
        undisturbed(where, run)
        return [line.event.seconds for line in read(where / "whole").lines if isinstance(line.event, Paused)]


ROUNDING = 0.002
"""Seconds that a time in the journal may lose by its being rounded."""
