"""A site that is away for a moment after it has answered a start: its log is read again, and the start is no doubt."""

import pytest
from msgspec.structs import replace
from stories import World, moment, planned, refused, unanswered

from runner.engine.effects import Send
from runner.foundation.values import JsonObject
from runner.runs.events import StepFinished, Trouble
from runner.service.calls import CallFailed, Ending, ExecuteCall, FailureKind, ReadRow, ReadRows, WhoAmI, WhoIsUser

GUID = "00000000-0000-0000-0000-000000000001"
STRICT = "  - id: a\n    execute: {process: UsrA}\n    verify: log\n"
NO_SIGN_IN = CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E309", message="503"), status=503, final=True)
AWAY = {"no answer": unanswered(), "no sign-in": NO_SIGN_IN, "nothing there": refused(status=404)}


class Away(World):
    """Readings after the first start are refused for so many seconds."""

    seconds = 4.0
    failure: CallFailed = unanswered()

    def _ending(self, send: Send) -> Ending:
        is_reading = isinstance(send.call, ReadRows | WhoAmI | WhoIsUser)
        if is_reading and self.executed and self.t < self.seconds:
            return self.failure
        return super()._ending(send)


def away(failure: CallFailed, *statuses: str, seconds: float = 4.0, verdicts: tuple[JsonObject, ...] = ()) -> Away:
    world = Away(statuses=[*statuses], verdicts=[*verdicts], call_seconds=0.0)
    world.failure, world.seconds = failure, seconds
    return world


def ends(world: World) -> list[tuple[str, object]]:
    return [(event.status.value, event.verified) for event in world.events if isinstance(event, StepFinished)]


@pytest.mark.parametrize("failure", AWAY.values(), ids=AWAY)
def test_the_log_of_a_site_that_is_away_for_a_moment_is_read_again(failure: CallFailed) -> None:
    assert ends(away(failure, "done").carry_out(planned(STRICT))) == [("passed", True)]
    assert ends(away(failure, "error").carry_out(planned(STRICT))) == [("failed", False)]


def test_a_refused_sign_in_is_not_tried_again() -> None:
    failure = CallFailed(
        kind=FailureKind.NOT_SENT, trouble=Trouble(code="E303", message="no"), final=True, refused_sign_in=True
    )
    world = away(failure, "done").carry_out(planned(STRICT))
    assert world.sent.count("read rows") == 1
    assert ends(world) == [("unknown", None)]


@pytest.mark.parametrize("failure", AWAY.values(), ids=AWAY)
def test_an_answered_start_whose_log_was_away_for_long_is_settled_by_its_only_row_later(failure: CallFailed) -> None:
    world = away(failure, "done", seconds=20.0, verdicts=({"as": "unknown"}, {"as": "log"}))
    world.carry_out(planned(STRICT + "finally:\n  - pause: 30s\n"))
    assert ends(world)[0] == ("unknown", None)
    assert ends(world)[-1] == ("passed", True)


@pytest.mark.parametrize(("seconds", "end"), [(0.5, ("passed", True)), (3.0, ("unknown", None))])
def test_a_row_that_began_after_the_answer_may_be_that_of_another(seconds: float, end: tuple[str, object]) -> None:
    class Other(Away):
        """The only row is of a start that another program makes so long after the answer."""

        def _ending(self, send: Send) -> Ending:
            if self.executed and self.rows and str(self.rows[0]["started"]) < moment(seconds):
                self.rows.clear()
            if self.executed and not self.rows and self.t >= seconds:
                self.add_row("UsrA")
            return super()._ending(send)

    world = Other(statuses=["done"], verdicts=[{"as": "unknown"}, {"as": "log"}], call_seconds=0.0, tells_time=True)
    world.seconds = 20.0
    world.carry_out(planned(STRICT + "finally:\n  - pause: 30s\n"))
    assert ends(world)[-1] == end


@pytest.mark.parametrize(("status", "end"), [("done", ("passed", True)), ("error", ("unknown", None))])
def test_a_row_that_began_after_the_answer_is_no_rival_of_an_earlier_one_unless_it_failed(
    status: str, end: tuple[str, object]
) -> None:
    class Beside(Away):
        """Another program starts the process ten and twenty seconds after the answer."""

        def _ending(self, send: Send) -> Ending:
            if self.executed and self.t >= 10.0 * len(self.rows):
                self.add_row("UsrA", status)
            return super()._ending(send)

    world = Beside(statuses=["done"], verdicts=[{"as": "unknown"}, {"as": "log"}], call_seconds=0.0, tells_time=True)
    world.seconds = 20.0
    world.carry_out(planned(STRICT + "finally:\n  - pause: 30s\n"))
    assert len(world.rows) > 1
    assert ends(world)[-1] == end


def test_what_is_not_known_of_an_answered_start_is_how_it_ended() -> None:
    class Beside(Away):
        def _ending(self, send: Send) -> Ending:
            if self.executed and len(self.rows) == 1:
                self.add_row("UsrA")
            return super()._ending(send)

    world = Beside(statuses=["done"], verdicts=[{"as": "unknown"}, {"as": "log"}], call_seconds=0.0)
    world.seconds = 20.0
    world.carry_out(planned(STRICT + "finally:\n  - pause: 30s\n"))
    errors = [event.error for event in world.events if isinstance(event, StepFinished) and event.key == "a"]
    error = errors[-1]
    assert error is not None
    assert error.code == "E208"
    assert error.message.startswith("it was answered, and nobody knows how its process ended: the process log")


def test_a_strict_step_waits_for_a_late_row_as_long_as_settle_says() -> None:
    world = World(late_rows=6, call_seconds=0.0).carry_out(planned(STRICT))
    assert ends(world) == [("passed", True)]
    loose = World(late_rows=6, call_seconds=0.0).carry_out(planned(STRICT.replace("log", "auto")))
    assert ends(loose) == [("passed", None)]


@pytest.mark.parametrize("action", ["run: {process: UsrA, until: done}", f"wait: {{process_id: {GUID}, for: ended}}"])
def test_a_sign_in_that_is_not_answered_ends_no_wait(action: str) -> None:
    class Waiting(Away):
        def _ending(self, send: Send) -> Ending:
            if isinstance(send.call, ReadRow) and self.t < self.seconds:
                return self.failure
            return super()._ending(send)

    world = Waiting(statuses=["running"], later=["done"], call_seconds=0.0)
    world.failure = replace(NO_SIGN_IN, status=None)
    if action.startswith("wait"):
        world.add_row("UsrA", "running")
    assert ends(world.carry_out(planned(f"  - id: a\n    {action}\n")))[-1] == ("passed", True)


@pytest.mark.parametrize("failure", [refused(status=403), refused(status=200)])
def test_a_log_that_was_read_before_is_asked_again_by_the_next_step_where_it_was_refused(failure: CallFailed) -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - pause: 5s\n  - id: b\n    execute: {process: UsrA}\n"
    world = away(failure, "done", "error", seconds=3.0).carry_out(planned(steps))
    assert [end for end in ends(world) if end != ("passed", None)][-1] == ("failed", False)
    assert ends(world)[0] == ("passed", None)


def test_a_row_that_began_after_the_answer_is_inferred() -> None:
    class Queued(World):
        """A process begins three seconds after the answer to its call."""

        def _ending(self, send: Send) -> Ending:
            ending = super()._ending(send)
            for row in self.rows if isinstance(send.call, ExecuteCall) else ():
                row["started"] = moment(self.t + 3.0)
            return ending

    def carried_out(verify: str) -> list[tuple[str, object]]:
        world = Queued(statuses=["done"], call_seconds=0.0, tells_time=True, late_rows=2)
        return ends(world.carry_out(planned(STRICT.replace("verify: log", f"verify: {verify}"))))

    assert carried_out("auto") == [("passed", "inferred")]
    assert carried_out("log") == [("unknown", None)]


def test_a_log_that_is_away_is_waited_for_once_and_not_at_each_step() -> None:
    steps = "".join(f"  - id: s{number}\n    execute: {{process: UsrA}}\n" for number in range(4))
    world = away(refused(status=404), *["done"] * 4, seconds=1000.0).carry_out(planned(steps))
    assert ends(world) == [("passed", None)] * 4
    seconds = [event.seconds for event in world.events if isinstance(event, StepFinished)]
    assert seconds[0] > 10.0
    assert max(seconds[1:]) < 5.0


def test_a_log_that_is_away_does_not_take_the_time_of_the_job() -> None:
    steps = "  - id: a\n    execute: {process: UsrA}\n  - id: b\n    execute: {process: UsrA}\n"
    world = away(refused(status=500), "done", "done", seconds=1000.0).carry_out(planned(steps, rest="timeout: 8s"))
    assert ends(world) == [("passed", None)] * 2


@pytest.mark.parametrize("status", [301, 308, 400, 404])
def test_a_process_is_not_waited_for_in_a_log_that_is_elsewhere_for_good_or_lacks_a_column(status: int) -> None:
    wait = f"  - id: w\n    wait: {{process_id: {GUID}, for: ended}}\n"
    world = World(log=refused(status=status)).carry_out(planned(wait))
    assert (world.finished("w").status, world.t < 60.0) == ("error", True)


def test_a_process_is_waited_for_where_a_gateway_answers_400_for_a_moment() -> None:
    class Gateway(World):
        def _row(self, process_id: str) -> Ending:
            return refused(status=400) if self.sent.count("read row") == 1 else super()._row(process_id)

    steps = "  - id: a\n    run: {process: UsrA, until: started}\n"
    wait = "  - id: w\n    wait: {process_id: '{{ steps.a.process_id }}', for: ended}\n"
    world = Gateway(statuses=["running"], later=["done"]).carry_out(planned(steps + wait))
    assert world.finished("w").status == "passed"
