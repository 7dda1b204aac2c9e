"""A process has versions: the row of the log bears the one that ran, and that may be any member of the family."""

import pytest
from breakages import Repeated
from msgspec.structs import replace
from stories import Unlisted, World, member, moment, not_sent, planned, refused, unanswered

from runner.engine.effects import Ask, Send, Sleep
from runner.engine.process_log import MOST_MEMBERS
from runner.foundation.values import Json, JsonObject
from runner.runs.events import StepFinished, Trouble
from runner.service.calls import (
    Call,
    CallFailed,
    Ending,
    FailureKind,
    FindFamily,
    FindHiddenFamily,
    ReadFamily,
    ReadRows,
    RunProcessCall,
    Version,
)

ONE = "  - id: a\n    execute: {process: UsrA}\n"
STRICT = ONE + "    verify: log\n"
ROOT, SECOND, THIRD = "UsrA", "UsrA_v1", "UsrA_v2"
SESSION = CallFailed(kind=FailureKind.TURNED_AWAY, trouble=Trouble(code="E304", message="sign in"), status=401)


def family(*codes: str) -> dict[str, list[JsonObject]]:
    """The root and its versions, the last of which is active."""
    listed = (ROOT, *codes)
    return {ROOT: [member(code, version=at + 1, active=code == listed[-1]) for at, code in enumerate(listed)]}


class Versions(World):
    """Each call runs the active version; the `third` comes when the first call has been made."""

    third = False

    def __init__(self, *statuses: str, answers: tuple[CallFailed | None, ...] = (), tells_time: bool = True) -> None:
        super().__init__(statuses=list(statuses), answers=list(answers), tells_time=tells_time)
        self.families, self.active = family(SECOND), {ROOT: SECOND, SECOND: SECOND}

    def _next(self) -> Ending:
        if self.third:
            self.families, self.active = family(SECOND, THIRD), {ROOT: THIRD, SECOND: THIRD}
        return super()._next()


class Growing(Versions):
    third = True


def readings(world: World) -> list[FindFamily | ReadFamily]:
    sent = [effect.call for effect in world.effects if isinstance(effect, Send)]
    return [call for call in sent if isinstance(call, FindFamily | ReadFamily)]


def ended(world: World, key: str = "a") -> tuple[str, object]:
    row = world.finished(key)
    return row.status.value, row.verified


def said(row: StepFinished) -> str:
    return row.error.message if row.error else " ".join(row.warnings)


@pytest.mark.parametrize("step", [ONE, STRICT])
@pytest.mark.parametrize(("status", "came"), [("done", ("passed", True)), ("error", ("failed", False))])
def test_the_row_of_the_active_version_is_the_verdict(step: str, status: str, came: tuple[str, object]) -> None:
    assert ended(Versions(status).carry_out(planned(step))) == came


@pytest.mark.parametrize("call", ["execute: {process: UsrA", "run: {process: UsrA"])
@pytest.mark.parametrize(
    ("checked", "more", "is_warned"),
    [
        (ROOT, ", parameters: {A: 1}}", True),
        (SECOND, ", parameters: {A: 1}}", False),
        (None, ", parameters: {A: 1}}", False),
        (ROOT, "}", False),
    ],
)
def test_parameters_that_were_checked_against_another_version_than_runs_now_are_warned_of(
    call: str, checked: str | None, more: str, *, is_warned: bool
) -> None:
    made = planned(f"  - id: a\n    {call}{more}\n    verify: log\n")
    world = Versions("done").carry_out(replace(made, versions={} if checked is None else {ROOT: checked}))
    warning = "the parameters were not checked against `UsrA_v1`, which is the active version of `UsrA` now"
    assert (warning in said(world.finished("a"))) is is_warned


def test_a_call_that_was_not_answered_is_found_by_its_version() -> None:
    assert ended(Versions(answers=(unanswered(),)).carry_out(planned(ONE))) == ("passed", "inferred")


def test_a_queued_process_is_found_by_its_version() -> None:
    world = Versions("queued")
    world.later = ["done"]
    assert ended(world.carry_out(planned("  - id: a\n    run: {process: UsrA}\n"))) == ("passed", "inferred")


def test_versions_are_read_once_for_all_calls_of_a_run() -> None:
    world = Versions().carry_out(planned("".join(ONE.replace("id: a", f"id: s{number}") for number in range(5))))
    assert readings(world) == [FindFamily(process=ROOT), ReadFamily(root=ROOT)]


def test_a_start_by_the_code_of_a_version_counts_for_the_process() -> None:
    by_version = f"  - id: z\n    execute: {{process: {SECOND}}}\n    verify: none\n"
    world = Versions("done", "error")
    world.lags, world.call_seconds = [0.1, 60.0], 0.0
    assert ended(world.carry_out(planned(by_version + STRICT))) == ("unknown", None)


def test_other_runs_are_asked_for_starts_by_all_codes_of_the_process() -> None:
    world = Versions().carry_out(planned(ONE))
    assert {effect.codes for effect in world.effects if hasattr(effect, "codes")} == {(ROOT, SECOND)}


# a version that comes while the run is under way


@pytest.mark.parametrize(("status", "came"), [("done", ("passed", True)), ("error", ("failed", False))])
def test_a_version_that_came_since_is_asked_for_before_absence_counts(status: str, came: tuple[str, object]) -> None:
    world = Growing(status).carry_out(planned(STRICT))
    assert ended(world) == came
    assert readings(world)[-1] == ReadFamily(root=ROOT, fresh=True)


def test_versions_are_asked_for_again_at_the_last_reading_alone_since_its_absence_counts() -> None:
    world = Versions()
    world.never_begun = frozenset({1})
    world.carry_out(planned(ONE))
    after = [effect for effect in world.effects if isinstance(effect, Send | Sleep)][-6:]
    calls = [effect.call if isinstance(effect, Send) else effect.seconds for effect in after]
    rows = calls[0]
    assert isinstance(rows, ReadRows)
    assert calls == [rows, 0.25, rows, 0.75, rows, ReadFamily(root=ROOT, fresh=True)]


def test_a_call_that_was_turned_away_is_not_made_again_where_a_new_version_has_its_row() -> None:
    class Repeated(Growing):
        def _next(self) -> Ending:
            ending = super()._next()
            if self.executed == 0:
                self.add_row(ROOT)
            return ending

    world = Repeated(answers=(SESSION,)).carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world)) == (1, ("passed", "inferred"))


def test_what_was_started_in_the_new_version_before_the_call_is_none_of_it() -> None:
    class Busy(Growing):
        def _next(self) -> Ending:
            ending = super()._next()
            self.add_row(ROOT)
            self.rows[0]["started"] = moment(self.t - 3000)
            return ending

    old = Busy()
    old.never_begun = frozenset({1})
    assert ended(old.carry_out(planned(STRICT))) == ("unknown", None)
    assert ended(Busy("error").carry_out(planned(STRICT))) == ("failed", False)


@pytest.mark.parametrize("status", ["done", "error"])
def test_where_the_site_gives_no_time_a_row_of_a_new_version_proves_nothing(status: str) -> None:
    world = Growing(status, tells_time=False).carry_out(planned(STRICT))
    assert ended(world) == ("unknown", None)
    assert "`UsrA` has got a new version, and the site gives no time" in said(world.finished("a"))
    again = Growing(tells_time=False, answers=(SESSION,)).carry_out(planned(ONE))
    assert (again.sent.count("execute UsrA"), ended(again)) == (1, ("unknown", None))


def test_the_calls_after_it_are_verified_by_a_watermark_of_all_versions() -> None:
    steps = ONE + STRICT.replace("id: a", "id: b")
    world = Growing("done", "error", tells_time=False).carry_out(planned(steps))
    assert (ended(world), ended(world, "b")) == (("passed", None), ("unknown", None))
    timed = Growing("done", "error").carry_out(planned(steps))
    assert (ended(timed), ended(timed, "b")) == (("passed", True), ("failed", False))


# versions that cannot be read


def unlisted(library: CallFailed, *, answers: tuple[CallFailed | None, ...] = ()) -> Versions:
    world = Versions(answers=answers)
    world.library = library
    return world


@pytest.mark.parametrize("library", [refused(403), refused(400), refused(500), unanswered()])
def test_where_versions_cannot_be_read_a_missing_row_says_so(library: CallFailed) -> None:
    world = unlisted(library).carry_out(planned(ONE))
    assert ended(world) == ("passed", None)
    sentence = f"the versions of `UsrA` could not be read: {library.trouble.message}"
    assert said(world.finished("a")) == f"not verified: the process log shows no row of this call; {sentence}"
    doubted = unlisted(library, answers=(unanswered(),)).carry_out(planned(ONE))
    assert ended(doubted) == ("unknown", None)
    assert sentence in said(doubted.finished("a"))


def test_the_rows_of_its_own_code_are_verdicts_as_before() -> None:
    world = World(library=refused(403), statuses=["error"]).carry_out(planned(STRICT))
    assert ended(world) == ("failed", False)


@pytest.mark.parametrize(("library", "status"), [(404, "failed"), (403, "unknown")])
def test_a_start_that_is_not_found_on_a_site_without_a_library_has_begun_nothing(library: int, status: str) -> None:
    missing = refused(404, unproved=True)
    assert World(answers=[missing], library=refused(library)).carry_out(planned(ONE)).finished("a").status == status
    repeated = Repeated(answers=[missing], library=refused(library)).carry_out(planned(ONE)).finished("a")
    assert (repeated.status, repeated.verified) == ("passed", "inferred")


def test_a_library_that_is_not_to_be_had_is_asked_rarely_for_all_processes() -> None:
    steps = "".join(f"  - id: s{at}\n    execute: {{process: Usr{at}}}\n" for at in range(4))
    world = unlisted(refused(403)).carry_out(planned(steps))
    assert readings(world) == [FindFamily(process="Usr0"), FindFamily(process="Usr2")], "again after five seconds"


def test_a_call_that_was_turned_away_is_in_doubt_where_its_row_may_be_that_of_an_unknown_version() -> None:
    world = unlisted(refused(403), answers=(SESSION,)).carry_out(planned(ONE))
    assert (world.sent.count("execute UsrA"), ended(world)) == (1, ("unknown", None))


def test_versions_that_could_not_be_read_before_the_call_are_read_before_absence_counts() -> None:
    class Awoken(Versions):
        def _next(self) -> Ending:
            self.library = None
            return super()._next()

    world = Awoken("error")
    world.library = unanswered()
    assert ended(world.carry_out(planned(STRICT))) == ("failed", False)


def test_a_process_that_the_library_lists_without_it_is_searched_for_by_its_code() -> None:
    world = World(families={ROOT: [member("UsrX")]}, statuses=["error"]).carry_out(planned(STRICT))
    assert ended(world) == ("failed", False)
    lost = World(families={ROOT: [member("UsrX")]}, lags=[60.0]).carry_out(planned(ONE))
    assert "the site lists no process of this code" in said(lost.finished("a"))


@pytest.mark.parametrize(
    ("step", "answer", "came"),
    [
        (ONE, None, "unknown"),
        (STRICT, None, "unknown"),
        (ONE + "    effect: read\n", None, "error"),
        (ONE, 42, "passed"),
    ],
)
def test_a_process_that_the_site_lists_nowhere_does_not_pass_by_an_empty_answer(
    step: str, answer: Json, came: str
) -> None:
    world = Unlisted(answers=[answer], never_begun=frozenset({1})).carry_out(planned(step))
    assert world.finished("a").status.value == came
    sentence = "the site lists no process `UsrA`, and its process log shows no start of it"
    assert (sentence in said(world.finished("a"))) == (came != "passed")
    began = Unlisted(answers=[None]).carry_out(planned(step))
    assert ended(began) == ("passed", True), "its row counts more than the library"


def test_a_404_of_a_process_that_the_site_lists_nowhere_is_a_refusal_and_nothing_is_waited_for() -> None:
    missing = refused(404, "answered 404 Not Found", unproved=True)
    world = Unlisted(answers=[missing], never_begun=frozenset({1})).carry_out(planned(ONE))
    assert (world.finished("a").status.value, world.sent.count("execute UsrA")) == ("failed", 1)
    assert said(world.finished("a")) == "the site lists no process `UsrA`: answered 404 Not Found"
    assert not any(isinstance(effect, Sleep) for effect in world.effects)
    listed = World(answers=[missing], never_begun=frozenset({1})).carry_out(planned(ONE))
    assert any(isinstance(effect, Sleep) for effect in listed.effects), "the log is read first"
    other = Unlisted(answers=[refused(403, unproved=True)], never_begun=frozenset({1})).carry_out(planned(ONE))
    assert other.finished("a").status.value == "unknown"


class Hidden(Versions):
    """The library shows versions, and not their root, which is among all schemas."""

    def _of_versions(self, call: Call) -> Json:
        if isinstance(call, FindFamily):
            return ROOT if isinstance(call, FindHiddenFamily) else None
        return [each for each in self.families[ROOT] if each["code"] != ROOT]


@pytest.mark.parametrize(("status", "came"), [("done", ("passed", True)), ("error", ("failed", False))])
def test_a_process_whose_root_the_library_hides_is_verified_by_the_row_of_its_active_version(
    status: str, came: tuple[str, object]
) -> None:
    world = Hidden(status).carry_out(planned(STRICT))
    assert ended(world) == came
    assert readings(world) == [FindFamily(process=ROOT), FindHiddenFamily(process=ROOT), ReadFamily(root=ROOT)]


def test_where_none_of_the_versions_that_it_shows_is_active_the_hidden_root_may_run() -> None:
    hidden = Hidden("error")
    hidden.families = {ROOT: [member(ROOT), member(SECOND)]}
    assert "the site lists no process of this code" in said(hidden.carry_out(planned(ONE)).finished("a"))


def test_a_log_that_is_not_to_be_filtered_by_versions_is_read_by_the_code() -> None:
    class Plain(Versions):
        def _rows(self, call: ReadRows) -> Ending:
            return refused(400, "too long") if call.schema_ids else super()._rows(call)

    world = Plain().carry_out(planned(ONE))
    assert ended(world) == ("passed", None)
    assert "the process log cannot be filtered by them: too long" in said(world.finished("a"))


@pytest.mark.parametrize("status", ["done", "error"])
def test_a_process_of_many_versions_is_asked_for_in_parts(status: str) -> None:
    codes = [f"UsrA_v{number}" for number in range(1, 2 * MOST_MEMBERS + 1)]
    world = Versions("done", status)
    world.families, world.active = family(*codes), {ROOT: codes[-1]}
    world.carry_out(planned(ONE + STRICT.replace("id: a", "id: b")))
    assert ended(world, "b") == (("passed", True) if status == "done" else ("failed", False))
    asked = [effect.call for effect in world.effects if isinstance(effect, Send)]
    assert {len(call.schema_ids) for call in asked if isinstance(call, ReadRows)} == {MOST_MEMBERS, 1}


# a version that is asked for by its number

THE_SECOND = "  - id: a\n    run: {process: UsrA, version: 2}\n"


def called(world: World) -> list[Version | None]:
    sent = [effect.call for effect in world.effects if isinstance(effect, Send)]
    return [call.version for call in sent if isinstance(call, RunProcessCall)]


@pytest.mark.parametrize(("status", "came"), [("done", ("passed", True)), ("error", ("failed", False))])
def test_a_version_is_run_by_its_own_code_whatever_is_active(status: str, came: tuple[str, object]) -> None:
    world = Versions(status)
    world.families = family(SECOND, THIRD)
    assert ended(world.carry_out(planned(THE_SECOND))) == came
    assert called(world) == [Version(number=2, code=SECOND, uid=f"design of {SECOND}")]


def test_a_version_that_came_since_the_versions_were_read_is_found() -> None:
    steps = ONE.replace("id: a", "id: z") + THE_SECOND.replace("2", "3")
    world = Growing().carry_out(planned(steps))
    assert (ended(world), called(world)) == (
        ("passed", True),
        [Version(number=3, code=THIRD, uid=f"design of {THIRD}")],
    )


@pytest.mark.parametrize("verify", ["auto", "log", "none"])
def test_a_version_that_is_not_there_starts_nothing(verify: str) -> None:
    world = Versions().carry_out(planned(f"{THE_SECOND.replace('2', '7')}    verify: {verify}\n"))
    assert (ended(world), called(world)) == (("error", None), [])
    assert world.finished("a").error == Trouble(
        code="E223",
        message="`UsrA` has no version 7 on this site; nothing was started",
        hint="its versions are 1, 2 (active)",
    )


def test_a_number_that_two_versions_have_starts_nothing() -> None:
    world = Versions()
    world.families = family(SECOND, THIRD)
    world.families[ROOT] = [{**member, "version": 2} for member in world.families[ROOT]]
    world.carry_out(planned(THE_SECOND))
    assert (ended(world), called(world)) == (("error", None), [])
    error = world.finished("a").error
    assert error is not None
    assert error.message.startswith("3 versions of `UsrA` have the number 2: `UsrA`, ")


@pytest.mark.parametrize("library", [refused(403), unanswered()])
def test_a_version_that_cannot_be_looked_up_starts_nothing(library: CallFailed) -> None:
    world = unlisted(library).carry_out(planned(THE_SECOND))
    assert (ended(world), called(world)) == (("error", None), [])
    message = f"version 2 cannot be looked up: the versions of `UsrA` could not be read: {library.trouble.message}"
    assert world.finished("a").error == Trouble(
        code="E224",
        message=message,
        hint="give the integration user the right to read `VwProcessLib`; nothing was started",
    )


def test_a_site_that_is_not_reached_is_tried_again_before_the_version_is_known() -> None:
    class Away(Versions):
        def _takes(self, effect: Send | Sleep | Ask) -> float:
            if isinstance(effect, Sleep):
                self.library = None
            return super()._takes(effect)

    world = Away()
    world.library = not_sent()
    again = "    retry: {max_attempts: 2, on: [not_sent], initial: 1s}\n"
    assert ended(world.carry_out(planned(THE_SECOND + again))) == ("passed", True)


# when the run has ended


@pytest.mark.parametrize(("status", "came"), [("done", ("passed", "inferred")), ("error", ("failed", "inferred"))])
def test_a_call_in_doubt_is_settled_later_by_its_version(status: str, came: tuple[str, object]) -> None:
    world = Versions(status, answers=(unanswered(),))
    world.lags, world.verdicts = [20.0], [{"as": "unknown"}, {"as": "log"}]
    world.carry_out(planned(ONE, rest="finally: [{pause: 30s}]"))
    assert (world.verdicts, ended(world)) == ([], came)
