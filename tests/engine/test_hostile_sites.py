"""Whatever a site does to the rows of its log and to answers: no call is made twice, and no row vouches for another's.

What cannot be excluded is left out of the model: a start of another machine, or the repetition of another call by a
gateway, with the same account within about a second of ours; and a call that was turned away although it had happened
and whose row comes more than a second late.
"""

from pathlib import Path

import pytest
from hostile import NOBODY, PROCESS, HostileSite, Manners, Program, Row
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stories import planned

from runner.engine.effects import Send
from runner.runs.events import StepFinished
from runner.runs.files.row_database import RowDatabase
from runner.runs.status import Status
from runner.service.calls import RunProcessCall

pytestmark = pytest.mark.slow

LAGS = st.sampled_from([0.0, 0.1, 0.4, 0.9, 1.5, 4.0, 14.0, 16.0, 19.0, 40.0, 60.0])
STATUSES = st.sampled_from(["done", "done", "done", "error"])
TIMES = st.sampled_from([0, 1, 1, 1, 1, 2])
PAUSES = st.sampled_from([0, 0, 0, 1, 3, 16, 50])
NEAR = 4.5
"""Seconds around a start of ours in which another machine's looks the same: a second, and what `Date` lacks."""


@st.composite
def manners(draw: st.DrawFn) -> Manners:
    answer = draw(st.sampled_from(["ok", "ok", "ok", "lost", "session", "later", "refused", "wrong"]))
    turned_away = answer in ("session", "later")
    lags = st.sampled_from([0.0, 0.3, 0.9]) if turned_away else LAGS
    times = draw(st.integers(1, 2) if answer in ("ok", "wrong") else TIMES)
    return Manners(
        seconds=draw(st.sampled_from([0.02, 0.3, 3.0])),
        times=times,
        lags=(draw(lags), draw(lags)),
        statuses=(draw(STATUSES), draw(STATUSES)),
        answer=answer,
        part=draw(st.booleans()),
    )


@st.composite
def steps(draw: st.DrawFn) -> str:
    """A few starts of one process, with pauses between them."""
    text = ""
    for number in range(draw(st.integers(1, 3))):
        action = draw(st.sampled_from(["execute", "execute", "execute", "run"]))
        until = draw(st.sampled_from(["", ", until: done", ", until: started"]))
        verify = draw(st.sampled_from(["auto", "log", "none"]))
        effect = draw(st.sampled_from(["once", "once", "read"]))
        text += f"  - id: s{number}\n    if: always()\n    {action}: {{process: {PROCESS}{until}}}\n"
        text += f"    verify: {verify}\n    effect: {effect}\n    timeout: 20s\n"
        if pause := draw(PAUSES):
            text += f"  - if: always()\n    pause: {pause}s\n"
    return text


def verdicts(program: Program) -> dict[str, StepFinished]:
    return {event.key: event for event in program.finished}


def check_run(site: HostileSite, program: Program) -> None:
    for key, row in verdicts(program).items():
        own = site.own_rows(program, key)
        if any(_may_be_mistaken(double, site, program, key) for double in site.rows if double.is_double):
            continue
        if row.verified is True and row.status is Status.PASSED:
            assert any(one.status == "done" for one in own), (key, row)
            if row.process_id is not None:
                assert row.process_id in [one.id for one in own], (key, row)
        if row.verified == "inferred" and row.process_id is None:  # as many rows as calls, which all ended alike
            assert {one.status == "done" for one in own} == {row.status is Status.PASSED}, (key, row)
        elif row.verified == "inferred":
            truth = next(one.truth for one in site.rows if one.id == row.process_id)
            assert truth in (f"{program.name} {key}", NOBODY), (key, row)
    calls: dict[str, bool] = {}
    for key, effect, began, _ in program.sent:
        assert not (effect == "once" and calls.get(key)), f"{key} was sent again although it had begun"
        calls[key] = began


def _may_be_mistaken(double: Row, site: HostileSite, program: Program, key: str) -> bool:
    """Whether a start that a gateway has repeated looks like a call of the same second: of another, or another's row
    like it.
    """
    own = f"{program.name} {key}"
    times = [at for sent, _, _, at in program.sent if sent == key]
    others = [row.began for row in site.rows if row.truth != own]
    is_near = any(abs(double.began - at) < NEAR for at in times)
    return is_near and (double.truth != own or any(abs(double.began - began) < NEAR for began in others))


def green(program: Program) -> set[str]:
    return {key for key, row in verdicts(program).items() if row.status is Status.PASSED and key.startswith("s")}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_call_is_made_twice_and_no_row_vouches_for_another_call(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    site = hostile(tmp_path_factory.mktemp("rows"), data)
    texts = data.draw(st.lists(steps(), min_size=1, max_size=3))
    programs = [site.start(planned(text), at=data.draw(st.sampled_from([0.0, 0.0, 2.0, 30.0]))) for text in texts]
    site.go_on()
    site.owned.close()
    for program, text in zip(programs, texts, strict=True):
        check_run(site, program)
        for key in green(program):
            if f"id: {key}\n" in text and "verify: log" in text.partition(f"id: {key}\n")[2].partition("- ")[0]:
                assert verdicts(program)[key].verified is True


def test_a_start_that_may_still_wait_takes_no_row_of_a_call_that_was_turned_away(tmp_path: Path) -> None:
    treated = (
        ("session", 0, 0.0),
        ("ok", 1, 16.0),
        ("ok", 1, 0.0),
        ("ok", 1, 0.0),
        ("ok", 1, 0.4),
        ("session", 1, 0.0),
    )
    how = iter(
        Manners(seconds=0.02, times=times, lags=(lag,), statuses=("done",), answer=answer)
        for answer, times, lag in (*treated, *[("ok", 1, 0.4)] * 3)
    )
    site = HostileSite(owned=RowDatabase(tmp_path / "rows.sqlite", now=lambda: site.now), manners=lambda _: next(how))
    step = f"  - id: s{{}}\n    if: always()\n    execute: {{{{process: {PROCESS}{{}}}}}}\n    timeout: 20s\n"
    both, pause = step.format(0, "") + step.format(1, ""), "  - if: always()\n    pause: 16s\n"
    waiting = step.format(0, ", until: done") + pause + step.format(1, "")
    programs = [site.start(planned(text), at=at) for text, at in ((both, 30.0), (waiting, 0.0), (both, 30.0))]
    site.go_on()
    site.owned.close()
    assert [[key for key, _, began, _ in program.sent if began] for program in programs] == [["s0", "s1"]] * 3


def test_a_call_that_was_turned_away_and_is_in_doubt_keeps_its_row_from_the_next_call(tmp_path: Path) -> None:
    how = iter(
        Manners(seconds=0.02, times=1, lags=(lag,), statuses=("done",), answer=answer)
        for lag, answer in ((0.0, "session"), (0.1, "ok"))
    )
    site = HostileSite(owned=RowDatabase(tmp_path / "rows.sqlite", now=lambda: site.now), manners=lambda _: next(how))
    step = (
        "  - id: s{}\n    if: always()\n    execute: {{process: " + PROCESS + "}}\n    verify: {}\n    effect: once\n"
    )
    program = site.start(planned(step.format(0, "log") + step.format(1, "auto")), at=0.0)
    site.go_on()
    site.owned.close()
    assert verdicts(program)["s0"].status is Status.UNKNOWN
    check_run(site, program)


START = "  - id: {}\n    execute: {{process: UsrA}}\n    on_failure: continue\n    effect: {}\n    verify: {}\n"
LEFT_BEHIND = [
    START.format("s0", "idempotent", "log"),
    START.format("s0", "read", "none") + START.format("s1", "once", "log"),
    START.format("s0", "idempotent", "auto") + START.format("s1", "once", "auto"),
    START.format("s0", "once", "none") + START.format("s1", "once", "auto"),
]


@pytest.mark.parametrize("lag", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("answer", ["session", "later", "refused"])
@pytest.mark.parametrize("text", LEFT_BEHIND)
def test_a_call_that_did_not_pass_and_began_all_the_same_leaves_no_row_that_vouches_for_another_call(
    tmp_path: Path, *, text: str, answer: str, lag: float
) -> None:
    how = iter(
        Manners(seconds=0.02, lags=(late,), statuses=(status,), answer=answer)
        for late, status, answer in ((lag, "done", answer), (0.4, "error", "ok"), (0.4, "error", "ok"))
    )
    site = HostileSite(owned=RowDatabase(tmp_path / "rows.sqlite", now=lambda: site.now), manners=lambda _: next(how))
    program = site.start(planned(text), at=0.0)
    site.go_on()
    site.owned.close()
    assert [row.status for row in site.rows] == ["done", *["error"] * (len(site.rows) - 1)]
    assert not [key for key, row in verdicts(program).items() if row.verified is True and row.status is Status.PASSED]
    check_run(site, program)


def test_a_row_that_several_runs_share_is_not_made_twice_by_one_that_was_turned_away(tmp_path: Path) -> None:
    """A third run settles the rows of the first two, one of which still waits for its answer: 401, of a repetition."""
    how = iter(
        Manners(seconds=seconds, times=1, lags=(0.0,), statuses=("done",), answer=answer)
        for seconds, answer in ((0.02, "ok"), (3.0, "session"), (0.3, "ok"))
    )
    site = HostileSite(owned=RowDatabase(tmp_path / "rows.sqlite", now=lambda: site.now), manners=lambda _: next(how))
    step = f"  - id: s0\n    execute: {{process: {PROCESS}}}\n    timeout: 20s\n"
    first, turned_away, third = [site.start(planned(step), at=at) for at in (0.0, 0.0, 2.0)]
    site.go_on()
    site.owned.close()
    assert [len(program.sent) for program in (first, turned_away, third)] == [1, 1, 1]
    assert verdicts(turned_away)["s0"].status is Status.UNKNOWN


@pytest.mark.parametrize(("seconds", "sent"), [(3.0, [1, 2]), (40.0, [1, 1])])
def test_a_call_that_was_turned_away_waits_for_the_answer_that_says_whose_a_row_is(
    tmp_path: Path, *, seconds: float, sent: list[int]
) -> None:
    """While it is turned away, another run starts the same process, by a call whose answer has the id of its row."""

    def treat(send: Send) -> Manners:
        if isinstance(send.call, RunProcessCall):
            return Manners(seconds=seconds, lags=(0.0,))
        is_first = all(key != "e" for program in site.programs for key, *_ in program.sent)
        return Manners(seconds=0.3, times=0, answer="session") if is_first else Manners(seconds=0.1)

    site = HostileSite(owned=RowDatabase(tmp_path / "rows.sqlite", now=lambda: site.now), manners=treat)
    run = f"  - id: r\n    run: {{process: {PROCESS}}}\n"
    other = site.start(planned(run), at=0.1)
    program = site.start(planned(f"  - id: e\n    execute: {{process: {PROCESS}}}\n"), at=0.0)
    site.go_on()
    site.owned.close()
    assert [len(other.sent), len(program.sent)] == sent
    assert verdicts(program)["e"].status is (Status.PASSED if len(program.sent) > 1 else Status.UNKNOWN)
    check_run(site, program)


def hostile(folder: Path, data: st.DataObject) -> HostileSite:
    def treat(_send: Send) -> Manners:
        return data.draw(manners())

    site = HostileSite(owned=RowDatabase(folder / "rows.sqlite", now=lambda: site.now), manners=treat)
    return site


SENT = 30.0
ELSEWHERE = st.floats(-60.0, SENT - NEAR) | st.floats(SENT + NEAR, 200.0)


@settings(max_examples=40, deadline=None)
@given(elsewhere=st.tuples(ELSEWHERE, LAGS, STATUSES), own=LAGS, answer=st.sampled_from(["ok", "lost"]))
@example(elsewhere=(35.0, 0.0, "done"), own=14.0, answer="ok")
def test_the_start_of_another_machine_vouches_for_no_call(
    tmp_path_factory: pytest.TempPathFactory, *, elsewhere: tuple[float, float, str], own: float, answer: str
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    how = Manners(times=1 if answer == "ok" else 0, lags=(own,), statuses=("error",), answer=answer)
    site = HostileSite(owned=RowDatabase(folder / "rows.sqlite", now=lambda: site.now), manners=lambda _: how)
    site.foreign(*elsewhere)
    step = f"  - id: s0\n    execute: {{process: {PROCESS}}}\n    verify: log\n    timeout: 20s\n"
    program = site.start(planned(step), at=SENT)
    site.go_on()
    site.owned.close()
    assert verdicts(program)["s0"].status is not Status.PASSED
