"""Runs of a fleet, carried out in this process: turns, orders, what is refused and held."""

import json

import psycopg
import pytest
from fleets import Fleet, charges, in_thread, until

from runner.cli.main import ended
from runner.execution.fleet_run import FleetRuns
from runner.fleet.log import FencedLog
from runner.fleet.store import FleetStore
from runner.fleet.turns import FleetTurn
from runner.hosts.stop import Stop
from runner.project.ci_run import user_and_host
from runner.project.sites import Sites
from runner.runs.evidence import Person, VerdictBy, VerdictSource
from runner.version import REPLAY

pytestmark = pytest.mark.slow


def test_a_worker_carries_a_run_out_and_its_events_are_those_of_any_run(here: Fleet) -> None:
    run = here.put("a", charges("a1", "a2"))
    with here.runs() as runs:
        assert runs.carry(run).state == "ended"
        assert runs.carry(run).state == "over"
    assert here.starts() == {"a1": 1, "a2": 1}
    assert [str(step.status) for step in here.result(run).steps] == ["passed", "passed"]
    assert here.sql("select state, status, exit_code, in_doubt, url, engine is not null, replay from runs") == [
        ("ended", "passed", 0, 0, here.sandbox.url, True, REPLAY)
    ]
    assert ended(["pull", run, "--db", here.dsn]) == 0
    assert ended(["show", run]) == 0
    assert ended(["history", "a", "--db", here.dsn]) == 0


def test_a_worker_asks_anew_for_the_versions_of_a_process_when_no_run_was_under_way(here: Fleet) -> None:
    first, second = here.put("a", charges("a1")), here.put("b", charges("b1"))
    with here.runs() as runs:
        for run in (first, second):
            assert runs.carry(run).state == "ended"
    asked = "select count(*) from events where run = %s and line like %s"
    for run in (first, second):
        assert here.sql(asked, run, '%"kind":"find_family"%') == [(1,)]
    dates = [
        json.loads(str(line))["date"]
        for (line,) in here.sql(
            "select line from events where kind = 'call.answered' and run = %s order by seq", second
        )
    ]
    assert None not in dates


def test_what_a_drained_worker_has_begun_another_goes_on_with(here: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    run = here.put("a", "steps:\n  - pause: 60s\n" + charges("a1").removeprefix("steps:\n"))
    left = []
    with here.runs() as runs:
        thread = in_thread(lambda: left.append(runs.carry(run)))
        until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
        runs.drain()
        thread.join()
        assert (left[0].state, left[0].queue) == ("parked", f"here#{REPLAY}")
        assert here.states() == {"a": "parked"}
        runs.undrain()
        thread = in_thread(lambda: left.append(runs.carry(run)))
        until(lambda: runs.running() != [])
        capsys.readouterr()
        assert ended(["stop", run, "--db", here.dsn]) == 0
        assert f"`runner status {run} --db {here.dsn}` shows" in capsys.readouterr().err
        until(lambda: here.states() == {"a": "running"})
        runs.stop(run, Person(user="ada@desk"))
        thread.join()
    assert here.states()["a"] in ("error", "cancelled", "failed")
    assert here.starts() == {}


def test_a_stop_that_comes_while_a_resumed_run_signs_in_lets_no_pause_begin(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.put("a", "steps:\n  - pause: 60s\n")
    with here.runs() as runs:
        thread = in_thread(lambda: runs.carry(run))
        until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
        runs.drain()
        thread.join()
        runs.undrain()

        def stopped(*_: object) -> bool:
            runs.stop(run, Person(user="ada@desk"))
            return True

        monkeypatch.setattr("runner.execution.fleet_run._lets_in", stopped)
        assert runs.carry(run).state == "ended"
    assert here.result(run).seconds < 20, "the grace is 30 s"


def test_a_turn_is_given_back_by_nobody_who_has_lost_the_run(here: Fleet) -> None:
    run = here.put("a", charges("a1"))
    zombies, others = FleetStore(here.dsn), FleetStore(here.dsn)
    log = zombies.create(run)
    zombie = FleetTurn(log, site="site")
    assert zombie.take("UsrCharge", Stop(grace=1.0))
    other = FleetTurn(others.create(run), site="site")
    zombie.give_back()
    assert here.sql("select process from turns") == [("UsrCharge",)], "it is the turn of who has taken the run over"
    other.give_back()
    assert here.sql("select count(*) from turns") == [(0,)]
    zombies.close()
    others.close()


def test_runs_on_two_machines_take_turns_with_a_process(here: Fleet) -> None:
    first, second = here.put("a", charges("a1")), here.put("b", charges("b1"))
    held = here.put("c", charges("c1"))
    here.sql(
        "insert into turns (site, process, run) select encode(sha256((%s || ' Supervisor')::bytea), 'hex'), "
        "'UsrCharge', id from runs where job = 'c'",
        "x",
    )
    with here.runs("one") as one, here.runs("two") as two:
        threads = [in_thread(lambda: one.carry(first)), in_thread(lambda: two.carry(second))]
        for thread in threads:
            thread.join()
        for run in (first, second):
            if here.sql("select state from runs where id = %s", run) == [("parked",)]:
                one.carry(run)
    assert here.states() == {"a": "passed", "b": "passed", "c": "queued"}
    assert here.starts() == {"a1": 1, "b1": 1}
    assert here.sql("select count(*) from turns where run <> %s", held) == [(0,)], "each was given back"


def test_a_verdict_without_the_result_that_the_job_needs_is_refused_before_it_is_ordered(
    here: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    here.sandbox.set_fault("drop_after", "UsrCharge")
    (here.folder / "inner.job.yaml").write_text("runner: 1\nname: inner\nsteps: [{pause: 1ms}]\n")
    first = "steps:\n  - {id: more, job: {file: inner.job.yaml}}\n"
    steps = charges("a1", more=", result: Receipt") + "    expect: [result != '']\n"
    run = here.put("a", first + steps.removeprefix("steps:\n"))
    order = ["resume", run, "--step", "a1", "--as", "passed", "--db", here.dsn]
    with here.runs() as runs:
        runs.carry(run)
        assert here.states() == {"a": "unknown"}
        assert ended(order) == 2
        error = capsys.readouterr().err
        assert "error[E158]: the job needs what `a1` gave, and a verdict alone does not give it" in error
        assert "hint: `--result JSON` hands it in" in error
        assert here.sql("select count(*) from orders") == [(0,)]
        assert ended([*order, "--result", '"paid"']) == 0
        runs.carry(run)
    assert here.states() == {"a": "passed"}


def test_a_run_in_doubt_is_settled_by_an_order_which_a_worker_carries_out(
    here: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    here.sandbox.set_fault("drop_after", "UsrCharge")
    run = here.put("a", charges("a1", more=", result: Receipt") + "    expect: [result is defined]\n")
    with here.runs() as runs:
        runs.carry(run)
        assert here.states() == {"a": "unknown"}
        capsys.readouterr()
        assert ended(["reconcile", run, "--db", here.dsn]) == 0
        assert f"`runner show {run} --db {here.dsn}` shows what came" in capsys.readouterr().err
        assert here.states() == {"a": "queued"}
        assert ended(["resume", run, "--db", here.dsn]) == 6
        assert f"nothing was ordered; `runner status {run} --db {here.dsn}` shows it" in capsys.readouterr().err
        runs.carry(run)
        assert here.states() == {"a": "unknown"}
        order = ["resume", run, "--step", "a1", "--as", "failed", "--db", here.dsn]
        assert ended([*order, "--grace", "5s"]) == 2
        assert "`--grace` says nothing to a fleet" in capsys.readouterr().err
        assert ended(order) == 0
        runs.carry(run)
    (judged,) = [step.judged for step in here.result(run).steps if step.judged is not None]
    assert judged.by == VerdictBy(how=VerdictSource.OPTION, user=user_and_host(), ci_user="octocat")
    assert ended(["show", run, "--db", here.dsn]) == 0
    assert f"verdict: failed, by {user_and_host()} (octocat in CI), with `--as`" in capsys.readouterr().out
    assert here.states() == {"a": "failed"}
    assert here.sql("select kind, verdict, done_at is not null from orders order by n") == [
        ("reconcile", None, True),
        ("resume", "failed", True),
    ]
    assert ended(order) == 2


def _apply(here: Fleet, run: str) -> None:
    """Let the ledger know of the run."""
    here.sql("insert into ledger (digest, job, target, url, folder, title) values ('d', 'a', 'here', '', '', 'a@here')")
    here.sql("insert into attempts (fleet, digest, run, began_at) values ('', 'd', %s, now())", run)


def test_runs_wait_for_others_to_pass_or_to_end_and_are_queued_in_that_transaction(here: Fleet) -> None:
    needed, other = here.put("a", charges("a1")), here.put("b", charges("b1"))
    here.sandbox.set_fault("success_but_error", "UsrCharge")
    here.put("fits", charges("f1"), needs=(other,))
    here.put("waits", charges("w1"), needs=(needed, other))
    here.put("next", charges("n1"), after=(needed,))
    assert here.states() == {"a": "queued", "b": "queued", "fits": "waiting", "waits": "waiting", "next": "waiting"}
    with here.runs() as runs:
        runs.carry(needed)
        assert here.states()["a"] == "failed"
        assert here.states()["next"] == "queued"
        assert here.sql("select title from blocked") == [("a@here",)]
        runs.carry(other)
    assert (here.states()["fits"], here.states()["waits"]) == ("queued", "waiting")
    late = here.put("late", charges("l1"), needs=(other,), after=(needed,))
    assert here.states()["late"] == "queued", "what it needs has passed before"
    queued = here.sql("select r.job from procrastinate_jobs j join runs r on r.id::text = j.args->>'run' order by 1")
    assert {("fits",), ("late",), ("next",)} <= {*queued}
    assert here.sql("select count(*) from procrastinate_jobs where args->>'run' = %s", late) == [(1,)]


def test_a_run_that_has_not_begun_is_cancelled_at_once(here: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    run = here.put("a", charges("a1"))
    _apply(here, run)
    assert ended(["stop", run[:30], "--db", here.dsn]) == 0
    assert here.states() == {"a": "cancelled"}
    assert here.sql("select count(*) from procrastinate_jobs") == [(0,)]
    assert here.sql("select status, exit_code from attempts") == [("cancelled", 3)]
    with here.runs() as runs:
        assert runs.carry(run).state == "over"
    assert ended(["stop", run, "--db", here.dsn]) == 6
    err = capsys.readouterr().err
    assert "nothing was stopped: " in err
    assert "is not under way: it is `cancelled`\n" in err
    assert "hint: see what became of it: `runner status " in err


def test_a_run_that_its_target_does_not_allow_is_refused_and_sends_nothing(here: Fleet) -> None:
    run = here.put("a", charges("a1"))
    (here.folder / "targets.yaml").write_text(here.sandbox.targets(more="    allow: {processes: [UsrOther]}\n"))
    _apply(here, run)
    with here.runs() as runs:
        assert runs.carry(run).state == "refused"
    assert here.starts() == {}
    ((note,),) = here.sql("select note from runs")
    assert "UsrCharge" in str(note)
    assert here.sql("select status, exit_code from attempts") == [("refused", 6)]


def test_a_target_that_is_another_place_on_the_worker_is_refused(here: Fleet) -> None:
    run = here.put("a", charges("a1"))
    targets = here.folder / "targets.yaml"
    targets.write_text(targets.read_text().replace("http://127.0.0.1", "https://other.invalid"))
    with here.runs() as runs:
        assert runs.carry(run).state == "refused"
    assert here.starts() == {}
    ((note,),) = here.sql("select note from runs")
    assert "when the job was applied, and is https://other.invalid" in str(note)


def test_a_run_that_breaks_this_program_is_held_and_not_tried_again_and_again(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.put("a", charges("a1"))

    def broken(_log: FencedLog) -> None:
        raise ZeroDivisionError("ours")

    with here.runs() as runs:
        monkeypatch.setattr(FencedLog, "check_fence", broken)
        assert runs.carry(run).state == "held"
    assert here.states() == {"a": "held"}
    ((note,),) = here.sql("select note from runs")
    assert note == "a fault of this program: ZeroDivisionError: ours"
    assert here.starts() == {}


def test_a_run_that_breaks_this_program_before_its_first_event_is_refused_since_nothing_could_resume_it(
    here: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.put("a", charges("a1"))

    def broken(_sites: Sites, _target: object) -> None:
        raise FileNotFoundError("the current folder is gone")

    with here.runs() as runs:
        monkeypatch.setattr(Sites, "of", broken)
        assert runs.carry(run).state == "refused"
    ((note,),) = here.sql("select note from runs")
    assert note == "a fault of this program: FileNotFoundError: the current folder is gone"


def test_a_run_that_another_server_may_have_forgotten_a_call_of_waits_for_a_person(here: Fleet) -> None:
    run = here.put("a", "steps:\n  - pause: 60s\n")
    with here.runs() as runs:
        thread = in_thread(lambda: runs.carry(run))
        until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
        runs.drain()
        thread.join()
        runs.undrain()
        here.sql("update runs set server = 'another'")
        assert runs.carry(run).state == "held"
        ((note,),) = here.sql("select note from runs")
        assert "restored" in str(note)
        assert ended(["resume", run, "--db", here.dsn]) == 0
        thread = in_thread(lambda: runs.carry(run))
        until(lambda: here.sql("select 1 from events where kind = 'run.resumed'") != [] or not thread.is_alive())
        runs.drain()
        thread.join()
    assert here.states() == {"a": "parked"}


def test_a_run_in_the_queue_of_a_restored_database_may_have_been_carried_out_and_does_not_begin(here: Fleet) -> None:
    run = here.put("a", charges("a1"))
    here.sql("update runs set server = 'another'")
    with here.runs() as runs:
        assert runs.carry(run).state == "refused"
    ((note,),) = here.sql("select note from runs")
    assert "may have forgotten that it was carried out" in str(note)
    assert here.starts() == {}


def test_no_secret_is_in_the_database(here: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PIN", "pin-58-secret")
    job = "inputs: {pin: {type: string, secret: true}}\n" + charges("a1").replace(
        "Mark: a1", 'Mark: "{{ inputs.pin }}"'
    )
    run = here.put("a", job)
    with here.runs() as runs:
        assert runs.carry(run).state == "ended"
    assert here.starts() == {"pin-58-secret": 1}
    with psycopg.connect(here.dsn) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'runner'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f"select t::text from runner.{table} t".encode()).fetchall()
            for (row,) in rows:
                assert "pin-58-secret" not in row
                assert "password: Supervisor" not in row


def test_only_commits_of_events_wait_for_the_disk(here: Fleet) -> None:
    """Of a call that happens once: that it is sent, its answer, and the end of its row."""
    here.sql("create table waits (name text, waits text)")
    here.sql(
        "create function note_wait() returns trigger language plpgsql as $$ begin "
        "insert into runner.waits values (tg_table_name, current_setting('synchronous_commit')); return null; end $$"
    )
    for table in ("events", "turns", "log_rows"):
        here.sql(
            f"create constraint trigger waits after insert on {table} deferrable initially deferred "
            "for each row execute function note_wait()"
        )
    run = here.put("a", charges(*(f"a{number}" for number in range(6))))
    with here.runs() as runs:
        runs.carry(run)
    assert set(here.sql("select name, waits from waits")) == {("events", "on"), ("turns", "off"), ("log_rows", "off")}
    ((commits,),) = here.sql("select count(distinct xmin::text) from events")
    assert int(str(commits)) <= 3 * 6 + 3


def test_most_updates_of_a_runs_row_need_no_index(here: Fleet) -> None:
    run = here.put("a", charges(*(f"a{number}" for number in range(12))))
    with here.runs() as runs:
        runs.carry(run)
    statistics = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'runs'"
    until(lambda: int(str(here.sql(statistics)[0][0])) > 20, seconds=30)
    ((updates, hot),) = here.sql(statistics)
    assert int(str(hot)) > 0.75 * int(str(updates))
    assert int(str(updates)) <= 3 * 12 + 8


def test_a_run_that_the_database_does_not_let_begin_is_refused_with_the_cause_and_not_tried_for_ever(
    here: Fleet,
) -> None:
    run = here.put("a", charges("a1"))
    here.sql("create function no() returns trigger language plpgsql as $$ begin raise 'no more runs'; end $$")
    here.sql("create trigger no before insert on runs for each row execute function no()")
    with here.runs() as runs:
        assert runs.carry(run).state == "refused"
    assert here.sql("select state, note from runs") == [("refused", "the database: no more runs")]


def test_a_run_that_somebody_else_has_begun_meanwhile_is_parked(here: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    run = here.put("a", charges("a1"))
    create = FleetStore.create

    def too_late(store: FleetStore, run: str) -> FencedLog:
        here.sql("update runs set state = 'ended', status = 'passed' where id = %s", run)
        return create(store, run)

    monkeypatch.setattr(FleetStore, "create", too_late)
    with here.runs() as runs:
        assert runs.carry(run).state == "parked"
    assert here.states() == {"a": "passed"}


def _parked(here: Fleet, runs: FleetRuns, steps: str) -> str:
    """A run that was given back in its first step."""
    run = here.put("a", steps)
    thread = in_thread(lambda: runs.carry(run))
    until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
    runs.drain()
    thread.join()
    runs.undrain()
    assert here.states() == {"a": "parked"}
    return run


def test_a_stop_that_is_ordered_while_no_worker_has_the_run_lets_none_of_its_steps_begin(
    here: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    with here.runs() as runs:
        run = _parked(here, runs, "steps:\n  - pause: 3s\n" + charges("a1").removeprefix("steps:\n"))
        assert ended(["stop", run, "--db", here.dsn]) == 0
        assert "no worker has it now: it stops when a worker opens it" in capsys.readouterr().err
        assert runs.carry(run).state == "ended"
    assert here.states() == {"a": "cancelled"}
    assert here.starts() == {}
    assert here.result(run).stop_ordered_by is not None


def test_a_run_that_was_stopped_before_it_changed_anything_does_not_wait_for_its_site_to_end(here: Fleet) -> None:
    with here.runs() as runs:
        run = _parked(here, runs, "steps:\n  - pause: 3s\n" + charges("a1").removeprefix("steps:\n"))
    file = here.folder / "targets.yaml"
    file.write_text(file.read_text().replace("password: Supervisor", "password: wr0ng"))
    with here.runs() as runs:
        assert ended(["stop", run, "--db", here.dsn]) == 0
        assert runs.carry(run).state == "ended"
    assert here.states() == {"a": "cancelled"}


def test_a_run_that_was_held_before_its_first_event_can_be_cancelled(here: Fleet) -> None:
    run = here.put("a", charges("a1"))
    here.sql("update runs set state = 'held', note = 'a fault of this program'")
    assert ended(["stop", run, "--db", here.dsn]) == 0
    assert here.states() == {"a": "cancelled"}
