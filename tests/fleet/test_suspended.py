"""A site that lets nobody in costs no run: what has changed nothing waits, and no account is locked by trying again."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import pytest
import sites
from captured import Capture
from fleets import Fleet, charges, in_thread, until
from msgspec.structs import replace as changed
from sites import SIGNED_IN, Answer, site, xml

from runner.cli.main import ended
from runner.fleet import sign_ins
from runner.fleet.database import Link
from runner.fleet.sign_ins import FleetSignIns
from runner.fleet.suspended import SuspendedTargets
from runner.runs.events import Trouble
from runner.service.auth import PASSWORD
from runner.service.calls import CallFailed, FailureKind
from runner.service.gate import OPEN, Deadline
from runner.service.site import Site

pytestmark = pytest.mark.slow


REFUSAL = CallFailed(
    kind=FailureKind.NOT_SENT,
    trouble=Trouble(code="E303", message="the site refused the sign-in"),
    status=200,
    final=True,
    no_session="the site refused the sign-in",
)
UNWELL = CallFailed(
    kind=FailureKind.NOT_SENT,
    trouble=Trouble(code="E309", message="no sign-in: the site answered 503"),
    status=503,
    no_session="the site answered 503",
)
MAINTENANCE = changed(UNWELL, status=200, no_session="it is a web page")
TOO_MANY = changed(UNWELL, status=429)
NO_WAY = CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E301", message="no connection"))


def target(here: Fleet, *, url: str | None = None, password: str = "Supervisor") -> None:
    """The targets file of the worker that begins next."""
    known = here.sandbox.targets().replace("password: Supervisor", f"password: {password}")
    (here.folder / "targets.yaml").write_text(known if url is None else known.replace(here.sandbox.url, url))


def tries(here: Fleet) -> int:
    return sum("AuthService" in call for call in here.sandbox.calls())


def test_a_wrong_password_costs_no_run_and_is_tried_once_and_a_worker_with_the_right_one_goes_on(
    here: Fleet, capsys: Capture
) -> None:
    for name in "abc":
        here.put(name, charges(f"{name}1"))
    target(here, password="wr0ng")
    wrong = [here.worker("-j", "2"), here.worker("-j", "2")]
    suspended = "select 1 from workers where suspended <> '{}'"
    until(lambda: len(here.sql(suspended)) == 2, why=lambda: (here.states(), here.said()))
    until(lambda: {*here.states().values()} <= {"queued", "parked"}, why=here.states)
    assert tries(here) == 1
    assert here.said().count("target `here` is suspended: ") == 2
    assert ended(["status", "--db", here.dsn, "--check"]) == 3
    out = capsys.readouterr().out
    assert "! `here` is suspended by " in out
    assert "refused the sign-in: Wrong user name or password\n" in out
    assert "! 3 runs in the queue: each worker of `here` has suspended it, and tries again later\n" in out
    assert "wr0ng" not in out + here.said()
    assert ended(["status", "--db", here.dsn, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["unserved"] == {"here": 3}
    assert {each["target"] for each in document["suspended"]} == {"here"}
    target(here)
    here.worker("-j", "2")
    until(lambda: {*here.states().values()} == {"passed"}, why=lambda: (here.states(), here.said()))
    assert tries(here) == 2
    for worker in wrong:
        worker.terminate()
        assert worker.wait(60) == 0
    assert here.starts() == {"a1": 1, "b1": 1, "c1": 1}


def test_a_run_that_has_changed_nothing_ends_as_soon_as_it_is_to_stop_though_its_target_is_suspended(
    here: Fleet,
) -> None:
    run = here.put("a", "steps:\n  - pause: 60s\n")
    here.put("b", charges("b1"))
    with here.runs() as runs:
        thread = in_thread(lambda: runs.carry(run))
        until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
        runs.drain()
        thread.join()
    target(here, password="wr0ng")
    here.worker()
    until(lambda: here.sql("select 1 from workers where suspended <> '{}'") != [], why=here.said)
    until(lambda: here.states() == {"a": "parked", "b": "queued"} or here.states()["b"] == "parked", why=here.states)
    assert ended(["stop", run, "--db", here.dsn]) == 0
    until(lambda: here.states()["a"] == "cancelled", why=lambda: (here.states(), here.said()))
    took = "select extract(epoch from r.updated_at)::float8 - (w.suspended::jsonb->'here'->>'since')::float8"
    ((seconds,),) = here.sql(f"{took} from runs r, workers w where r.id = %s and w.suspended <> '{{}}'", run)
    assert isinstance(seconds, float)
    assert seconds < 55, "the next try comes a minute after the first"
    assert tries(here) == 2, "once in time, and once with the wrong password"


def test_a_worker_that_is_to_end_with_the_queue_does_not_end_well_where_runs_are_left_for_a_wrong_password(
    here: Fleet,
) -> None:
    here.put("a", charges("a1"))
    target(here, password="wr0ng")
    assert here.worker("--once").wait(60) == 3, here.said()
    assert "runs are left in the queue: `here`\n" in here.said()
    assert {*here.states().values()} <= {"queued", "parked"}
    target(here)
    assert here.worker("--once").wait(60) == 0, here.said()
    assert here.states() == {"a": "passed"}


def test_a_suspension_whose_pause_is_over_and_that_no_run_tries_is_no_alarm(here: Fleet, capsys: Capture) -> None:
    known = {"here": {"reason": "no", "since": 1.0, "waits": True}}
    here.sql("insert into procrastinate_workers (id) overriding system value values (7)")
    here.sql(
        "insert into workers (id, name, targets, jobs, replay, suspended) values (7, 'w', '{here}', 1, 1, %s::jsonb)",
        json.dumps(known),
    )
    assert ended(["status", "--db", here.dsn]) == 0
    assert "\n! `here` is suspended by w since 1970-01-01 00:00:01Z: no\n" in capsys.readouterr().out
    here.sql("update workers set suspended = jsonb_set(suspended, '{here,waits}', 'false')")
    assert ended(["status", "--db", here.dsn]) == 0
    shown = capsys.readouterr().out
    assert "\n  `here` let w not in, the first time at 1970-01-01 00:00:01Z: no; the next run tries it again\n" in shown
    assert ended(["status", "--db", here.dsn, "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["suspended"]
    assert (found["target"], found["waits"]) == ("here", False)


def test_whoever_waits_for_what_was_applied_reads_why_nobody_carries_it_out(here: Fleet, capsys: Capture) -> None:
    file = here.folder / "a.job.yaml"
    file.write_text(f"runner: 1\nname: a\ntarget: here\n{charges('a1')}")
    target(here, password="wr0ng")
    here.put("first", charges("f1"))
    here.worker()
    until(lambda: here.sql("select 1 from workers where suspended <> '{}'") != [], why=here.said)
    assert ended(["apply", "a.job.yaml", "--db", here.dsn, "--wait", "1s"]) == 3
    said = capsys.readouterr().err
    assert said.count("! `here` is suspended by ") == 2, "when the waiting begins, and when it ends"
    assert "refused the sign-in: Wrong user name or password\n" in said


CLOSED = replace(xml(""), headers=(("Connection", "close"),))
"""After which nothing can be asked on the same connection."""


@contextmanager
def own_site(here: Fleet, *, port: int = 0) -> Iterator[sites.Site]:
    """A site which can go away. The target leads there."""
    with site(lambda _method, _path: CLOSED, port=port) as served:
        target(here, url=served.url)
        yield served


def carefree(*names: str) -> str:
    """Steps that start processes, which nothing is asked about before or after."""
    steps = "".join(f"  - execute: {{process: Usr{name}}}\n" for name in names)
    return f"defaults: {{verify: none}}\nsteps:\n{steps}"


def test_a_site_that_went_away_costs_no_run_that_has_changed_nothing(here: Fleet) -> None:
    now = [0.0]
    with ExitStack() as down, here.runs(clock=lambda: now[0]) as runs:
        served = down.enter_context(own_site(here))
        first, second, third = (here.put(name, carefree("A")) for name in "abc")
        assert runs.carry(first).state == "ended"
        port = int(served.url.rpartition(":")[2])
        down.close()
        assert runs.carry(second).state == "parked"
        assert here.sql("select kind from events where run = %s and kind like 'attempt%%'", second) == []
        assert here.states() == {"a": "passed", "b": "parked", "c": "queued"}
        ((note,),) = here.sql("select note from runs where id = %s", second)
        assert "refuses connections" in str(note)
        assert runs.carry(third).state == "parked", "it is not even tried"
        assert here.states()["c"] == "queued"
        now[0] += 5.1
        with own_site(here, port=port) as served:
            for run in (second, third):
                assert runs.carry(run).state == "ended"
            assert runs.suspended.all() == {}
            assert len(served.executes()) == 2
    assert {*here.states().values()} == {"passed"}


def test_what_fails_after_something_was_started_is_the_business_of_the_job(here: Fleet) -> None:
    with ExitStack() as down, here.runs() as runs:
        served: list[sites.Site] = []

        def answer(_method: str, _path: str) -> Answer:
            threading.Thread(target=down.close).start()
            return CLOSED

        served.append(down.enter_context(site(answer)))
        target(here, url=served[0].url)
        run = here.put("a", carefree("A") + "  - pause: 500ms\n" + carefree("B").partition("steps:\n")[2])
        assert runs.carry(run).state == "ended"
    assert here.states() == {"a": "error"}


LOGIN_PAGE = Answer(
    body="<html><head><title>Login</title></head><body><form action='/Login/NuiLogin.aspx'>"
    "<input type='password'></form></body></html>",
    kind="text/html",
)


def test_a_site_in_maintenance_that_shows_its_login_page_costs_no_run(here: Fleet) -> None:
    now, is_down = [0.0], [False]

    def answer(_method: str, path: str) -> Answer:
        if is_down[0]:
            return LOGIN_PAGE
        if "odata" in path:
            return Answer(body='{"value":[]}')
        return SIGNED_IN if "AuthService" in path else xml("")

    steps = "defaults: {verify: none}\nsteps:\n  - query: {entity: Contact, top: 1}\n  - execute: {process: UsrA}\n"
    with site(answer, sign_in=None) as served, here.runs(clock=lambda: now[0]) as runs:
        target(here, url=served.url)
        first, second = here.put("first", carefree("A")), here.put("a", steps)
        assert runs.carry(first).state == "ended"
        is_down[0] = True
        asked = len(served.asked)
        assert runs.carry(second).state == "parked"
        assert len(served.sign_ins) == 2
        assert len(served.asked) > asked
        is_down[0] = False
        now[0] += 61.0
        here.sql("update sign_ins set next = now()")
        assert runs.carry(second).state == "ended"
        assert len(served.executes()) == 2
    assert here.states()["first"] == "passed"


SITE = Site(url="https://site.example", prefix="/0")


def _signing(link: Link, worker: str, password: str) -> FleetSignIns:
    return FleetSignIns(
        link, site=SITE, credentials=PASSWORD.credentials(username="Me", password=password), worker=worker
    )


def _deadline(seconds: float = 5.0) -> Deadline:
    return Deadline(at=seconds, seconds=seconds, gate=OPEN)


@pytest.fixture
def link(fleet: str) -> Iterator[Link]:
    with closing(Link(fleet)) as made:
        yield made


def test_one_of_all_workers_with_the_same_wrong_password_tries_it_ever_more_rarely(link: Link) -> None:
    first, other, right = (_signing(link, worker, word) for worker, word in (("a", "x"), ("b", "x"), ("c", "y")))
    pauses = []
    for _ in range(6):
        assert first.begin(_deadline()) is None
        first.end(REFUSAL)
        barred = other.begin(_deadline())
        assert barred is not None
        assert barred.retry_after is not None
        pauses.append(round(barred.retry_after, -1))
        assert "worker a" in barred.trouble.message
        mine = first.begin(_deadline())
        assert mine is not None
        assert mine.trouble == REFUSAL.trouble
        link.run("update sign_ins set next = now()")
    assert pauses == [60, 120, 240, 480, 900, 900]
    assert right.begin(_deadline()) is None, "another password is another matter"
    right.end(None)
    assert other.begin(_deadline()) is None
    other.end(None)
    assert link.run("select from sign_ins").rowcount == 0


def test_while_one_worker_signs_in_others_with_the_same_credentials_wait_for_what_it_learns(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_ins, "_LOOK", 0.01)
    first, other = _signing(link, "a", "x"), _signing(link, "b", "x")
    assert first.begin(_deadline()) is None
    late = other.begin(_deadline(0.1))
    assert late is not None
    assert late.trouble.code == "E305"
    threading.Timer(0.2, lambda: first.end(REFUSAL)).start()
    barred = other.begin(_deadline(30.0))
    assert barred is not None
    assert barred.trouble.code == "E303"
    link.run("update sign_ins set next = now()")
    assert first.begin(_deadline()) is None
    link.run("update sign_ins set busy_until = now()")  # whoever tried was killed
    assert other.begin(_deadline()) is None


def test_a_suspended_target_is_tried_ever_more_rarely_and_sooner_where_no_password_is_checked() -> None:
    now, said = [0.0], list[str]()
    suspended = SuspendedTargets(said.append, clock=lambda: now[0])

    def pauses(failure: CallFailed, times: int) -> list[float]:
        found = []
        for _ in range(times):
            suspended.suspend("here", failure, reason="why")
            suspended.suspend("here", failure, reason="another run at the same time")
            began = now[0]
            while suspended.waiting():
                now[0] += 1.0
            found.append(now[0] - began)
        suspended.resume("here", suspended.of("here"))
        return found

    assert pauses(NO_WAY, 6) == [5, 10, 20, 40, 60, 60]
    assert pauses(UNWELL, 6) == [5, 10, 20, 40, 60, 60], "a deployment takes half an hour, and then everything waits"
    assert pauses(MAINTENANCE, 2) == [5, 10]
    assert pauses(TOO_MANY, 2) == [60, 120]
    assert pauses(REFUSAL, 6) == [60, 120, 240, 480, 900, 900]
    assert len(said) == 10, "once when it is suspended, and once when it is not any more"


def test_an_answer_to_a_call_from_before_does_not_end_that_a_target_is_suspended() -> None:
    said = list[str]()
    suspended = SuspendedTargets(said.append)
    before = suspended.of("here")
    suspended.suspend("here", REFUSAL, reason="why")
    suspended.resume("here", before)
    assert suspended.waiting() == {"here"}
    suspended.resume("here", suspended.of("here"))
    assert suspended.waiting() == frozenset()
    assert len(said) == 2


def test_a_call_in_flight_that_is_answered_lets_nobody_try_a_refused_password_sooner(here: Fleet) -> None:
    with here.runs() as runs:

        def answer(_method: str, path: str) -> Answer:
            if "UsrA" in path:
                runs.suspended.suspend("here", REFUSAL, reason="another run was refused meanwhile")
            return SIGNED_IN if "AuthService" in path else xml("")

        with site(answer, sign_in=None) as served:
            target(here, url=served.url)
            assert runs.carry(here.put("a", carefree("A"))).state == "ended"
        assert runs.suspended.waiting() == {"here"}
