"""`runner apply --db`: versions go into the queue of a fleet once, workers carry them out, and what the ledger knows of
them is what it knows without a database.
"""

import json
import re
import shlex
import signal
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from captured import Capture
from fleets import Fleet, charges, in_thread, until
from running import DEVNULL, TIME, command, start
from strict_schema import flaws

from runner.cli.main import ended
from runner.fleet import orders
from runner.fleet.store import FleetStore
from runner.ledger.database import FleetLedger
from runner.ledger.decisions import known_state
from runner.ledger.queueing import ObservedFleet
from runner.project.ci_run import user_and_host
from runner.runs.evidence import Person

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _named_by_a_variable(here: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_DB", here.dsn)
    (here.folder / "specs").mkdir()


def write(name: str, more: str = "", *, mark: str | None = None, steps: str | None = None) -> Path:
    path = Path("specs") / f"{name}.job.yaml"
    path.write_text(f"runner: 1\nname: {name}\ntarget: here\n{more}{steps or charges(mark or name)}")
    return path


def work(here: Fleet) -> None:
    """Carry out what is in the queue, and what comes into it meanwhile."""
    item = "select args ->> 'run' from procrastinate_jobs where status = 'todo' order by id limit 1"
    with here.runs() as runs:
        while found := here.sql(item):
            ((run,),) = found
            here.sql("delete from procrastinate_jobs where args ->> 'run' = %s", run)
            runs.carry(str(run))


def attempts(here: Fleet) -> list[tuple[object, ...]]:
    return here.sql("select v.title, a.status from attempts a join ledger v using (fleet, digest) order by a.n")


def answer(capsys: Capture, *words: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the state of each version by its job."""
    capsys.readouterr()
    code = ended(["apply", "specs", "--format", "json", *words])
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == code
    return code, {version["job"]: version["state"] for version in document["versions"]}


def test_a_version_is_queued_once_carried_out_once_and_again_when_the_job_changes(here: Fleet, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("new  a@here  ")
    assert here.states() == {}
    assert ended(["apply", "specs"]) == 0
    said = capsys.readouterr().err
    assert "yet, so every version is new; `--adopt` marks them as done without running them" in said
    assert "new  a@here" in said
    assert (
        "applied: 1 queued; 0 passed before\n! 1 run in the queue: nobody serves `here`\n`runner status --db " in said
    )
    assert here.states() == {"a": "queued"}
    assert answer(capsys) == (0, {"a": "queued"})
    work(here)
    assert answer(capsys) == (0, {"a": "passed"})
    write("a", "description: other\n")
    assert ended(["apply", "specs"]) == 0
    assert "applied: nothing new; 1 passed before\n" in capsys.readouterr().err
    write("a", "timeout: 1m\n")
    assert answer(capsys) == (0, {"a": "queued"})
    work(here)
    write("a")
    assert answer(capsys) == (0, {"a": "passed"}), "the version of before has passed"
    assert here.starts() == {"a": 2}
    assert not Path(".runner").exists()


def test_a_worker_needs_no_files_of_the_job(here: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("specs/inner.job.yaml").write_text("runner: 1\nname: inner\ninputs: {m: {type: string}}\n" + charges("inner"))
    Path("specs/rows.csv").write_text("name,mark\nred,m1\n")
    write(
        "outer",
        "inputs: {mark: {type: string}}\ncases: rows.csv\n",
        steps=charges("a").replace("Mark: a}", 'Mark: "{{ inputs.mark }}"}')
        + "  - {id: more, job: {file: inner.job.yaml, inputs: {m: x}}}\n",
    )
    assert ended(["apply", "specs", "-k", "outer"]) == 0
    worker = tmp_path / "worker"
    worker.mkdir()
    (here.folder / "targets.yaml").rename(worker / "targets.yaml")
    for file in Path("specs").iterdir():
        file.unlink()
    monkeypatch.chdir(worker)
    (worker / "specs").mkdir()
    here.folder = worker
    work(here)
    assert here.states() == {"outer": "passed"}
    assert here.starts() == {"m1": 1, "inner": 1}


def test_an_older_version_is_named_with_the_command_that_queues_it_once_more(here: Fleet, capsys: Capture) -> None:
    for mark in ("a1", "a2", "a1"):
        write("a", mark=mark)
        capsys.readouterr()
        assert ended(["apply", "specs"]) == 0
        work(here)
    (command,) = re.findall(r"once more with `(runner [^`]*)`", capsys.readouterr().err)
    assert here.starts() == {"a1": 1, "a2": 1}
    assert ended(shlex.split(command)[1:]) == 0
    work(here)
    assert here.starts() == {"a1": 2, "a2": 1}
    assert ended(["apply", "specs"]) == 0
    assert "older" not in capsys.readouterr().err


def test_what_failed_keeps_its_code_until_it_is_retried_and_an_unknown_outcome_until_it_is_settled(
    here: Fleet, capsys: Capture
) -> None:
    write("a")
    here.sandbox.set_fault("success_but_error", "UsrCharge")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    here.sandbox.set_fault("drop_after", "UsrRefund")
    assert answer(capsys) == (0, {"a": "queued", "b": "queued"})
    Path("specs/b.job.yaml").write_text(Path("specs/b.job.yaml").read_text() + "    verify: none\n")
    assert answer(capsys) == (0, {"a": "queued", "b": "queued"}), "what has not begun is replaced"
    work(here)
    assert answer(capsys) == (4, {"a": "failed", "b": "unknown"})
    assert ended(["apply", "specs", "-k", "a"]) == 1
    assert "`a@here` is not carried out: this version was carried out on " in capsys.readouterr().err
    write("b", mark="b2")
    code, states = answer(capsys, "--retry", "failed")
    assert (code, states) == (4, {"a": "queued", "b": "blocked"})
    assert ended(["apply", "specs", "-k", "b"]) == 4
    said = capsys.readouterr().err
    assert "nobody knows yet how run" in said
    assert " --as passed` if you have checked that it passed" in said
    work(here)
    assert here.states()["a"] == "passed"
    ((run,),) = here.sql("select id::text from runs where job = 'b' and status = 'unknown'")
    assert ended(["resume", str(run), "--step", "b", "--as", "passed"]) == 0
    work(here)
    assert answer(capsys) == (0, {"a": "passed", "b": "passed"})
    assert here.starts() == {"a": 2, "b": 1, "b2": 1}


def test_an_older_version_that_has_not_begun_is_replaced_and_one_that_has_begun_ends_first(
    here: Fleet, capsys: Capture
) -> None:
    write("a", "concurrency: tours\n", steps="steps:\n  - pause: 60s\n")
    assert ended(["apply", "specs"]) == 0
    with here.runs() as runs:
        ((first,),) = here.sql("select id::text from runs")
        thread = in_thread(lambda: runs.carry(str(first)))
        until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
        write("a", "concurrency: other\n", mark="a2")
        assert answer(capsys) == (0, {"a": "waiting"})
        write("a", "concurrency: tours\n", mark="a3")
        assert answer(capsys) == (0, {"a": "waiting"})
        notes = here.sql("select note from runs where state = 'cancelled'")
        assert notes == [("a later version of the job was applied before this began",)]
        assert [status for _, status in attempts(here)] == [None, None], "it was never applied"
        runs.drain()
        thread.join()
        runs.undrain()
        assert here.sql("select state from runs where id = %s", first) == [("parked",)]
        assert answer(capsys) == (0, {"a": "waiting"})
        here.sql("insert into orders (run, kind, by) values (%s, 'stop', 'somebody')", first)
        thread = in_thread(lambda: runs.carry(str(first)))
        until(lambda: runs.running() != [])
        runs.stop(str(first), Person(user="ada@desk"))
        thread.join()
    assert answer(capsys)[1] == {"a": "queued"}
    here.sql("delete from procrastinate_jobs where args ->> 'run' = %s", first)
    work(here)
    assert answer(capsys) == (0, {"a": "passed"})
    assert here.starts() == {"a3": 1}


def test_a_job_that_goes_back_to_what_it_was_takes_the_newer_version_out_of_the_queue(
    here: Fleet, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    work(here)
    write("a", mark="a2")
    assert answer(capsys) == (0, {"a": "queued"})
    write("a")
    assert answer(capsys) == (0, {"a": "passed"})
    work(here)
    assert here.starts() == {"a": 1}
    write("a", mark="a2")
    assert answer(capsys) == (0, {"a": "queued"}), "it was taken back before it began"


def test_a_needed_job_comes_first_and_what_waits_in_vain_is_blocked(here: Fleet, capsys: Capture) -> None:
    write("a", "needs: [b]\n")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    write("c", "needs: [a]\n")
    here.sandbox.set_fault("success_but_error", "UsrRefund")
    assert answer(capsys) == (0, {"a": "waiting", "b": "queued", "c": "waiting"})
    work(here)
    assert here.starts() == {"b": 1}
    assert answer(capsys)[0] == 1
    assert ended(["apply", "specs"]) == 1
    said = capsys.readouterr().err
    assert "error[E184]: `a@here` is blocked by `b`, which has not passed" in said
    assert "error[E184]: `c@here` is blocked by `a`, which has not passed" in said
    assert "applied: nothing new; 0 passed before, 1 failed, 2 blocked\n" in said
    assert ended(["apply", "specs", "-k", "c", "-k", "a"]) == 6
    assert ended(["apply", "specs", "--wait", "1h"]) == 1, "nobody waits for what needs a person"
    assert ended(["status"]) == 0
    assert capsys.readouterr().out.count("blocked by b@here") == 2
    assert ended(["apply", "specs", "-k", "b", "--retry", "failed"]) == 0
    work(here)
    assert here.starts() == {"b": 2, "a": 1, "c": 1}, "what waited has followed the second attempt"
    assert answer(capsys) == (0, {"a": "passed", "b": "passed", "c": "passed"})


def test_a_needed_job_that_is_not_selected_counts_by_the_ledger_and_only_with_the_same_key(
    here: Fleet, capsys: Capture
) -> None:
    write("a", "needs: [b]\n")
    write("b")
    assert ended(["apply", "specs", "-k", "a"]) == 6
    assert here.states() == {}
    assert ended(["apply", "specs", "-k", "b"]) == 0
    assert answer(capsys, "-k", "a") == (0, {"a": "waiting"})
    work(here)
    assert here.states() == {"a": "passed", "b": "passed"}
    assert ended(["apply", "specs", "-k", "a", "--for", "r2"]) == 6
    assert ended(["apply", "specs", "--for", "r2"]) == 0
    assert ended(["apply", "specs", "--for", "r2"]) == 0
    assert ended(["apply", "specs", "--every", "24h"]) == 0, "the other key's runs end first"
    work(here)
    assert here.starts() == {"a": 3, "b": 3}


def test_in_order_each_job_waits_for_the_job_before_and_must_not_contradict_needs(here: Fleet, capsys: Capture) -> None:
    for name in "abc":
        write(name)
    assert answer(capsys, "--in-order") == (0, {"a": "queued", "b": "waiting", "c": "waiting"})
    work(here)
    assert answer(capsys) == (0, {"a": "passed", "b": "passed", "c": "passed"})
    write("a", "needs: [c]\ntimeout: 1m\n")
    assert ended(["apply", "specs", "--in-order"]) == 2
    assert "`--in-order` and `needs` contradict each other: a → c → b → a" in capsys.readouterr().err


def test_runs_of_jobs_that_are_gone_are_taken_out_of_the_queue_by_prune_alone(here: Fleet, capsys: Capture) -> None:
    gone = write("a")
    write("b")
    assert ended(["apply", "specs", "--fleet", "mine"]) == 0
    gone.unlink()
    assert ended(["apply", "specs", "--prune"]) == 0, "another ledger"
    assert here.sql("select count(*) from runs where state = 'queued'") == [(3,)]
    capsys.readouterr()
    assert ended(["apply", "specs", "--fleet", "mine"]) == 0
    assert "gone  a@here" in capsys.readouterr().err
    assert ended(["apply", "specs", "--fleet", "mine", "--prune"]) == 0
    ((run,),) = here.sql("select id::text from runs where state = 'cancelled'")
    said = capsys.readouterr().err
    assert f"taken out of the queue: run {run} of a@here, applied from the folder `specs`" in said
    assert said.count("taken out of the queue") == 1
    assert here.sql("select title, note from runs where state = 'cancelled'") == [
        ("a@here", "the job was gone before this began")
    ]
    capsys.readouterr()
    assert ended(["apply", "specs", "--fleet", "mine"]) == 0
    assert "gone" not in capsys.readouterr().err
    work(here)
    assert here.starts() == {"b": 2}
    write("a")
    assert answer(capsys, "--fleet", "mine") == (0, {"a": "queued", "b": "passed"})


@pytest.mark.parametrize("settled", [("--retry", "refused"), ("--adopt", "-k", "b")])
def test_after_a_restore_nothing_that_may_have_been_applied_since_begins_by_itself(
    settled: tuple[str, ...], here: Fleet, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    work(here)
    here.sql("update runs set server = 'another'")
    assert answer(capsys) == (0, {"a": "passed"})
    write("b")
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 6
    why = "error[E183]: the database was restored, or another server took over: `b@here` may have been applied since\n"
    assert why in capsys.readouterr().err
    assert len(attempts(here)) == 1
    assert ended(["apply", "specs", *settled]) == 0
    write("c")
    assert ended(["apply", "specs"]) == 0
    assert len(attempts(here)) == 3, "who has looked at the site once is not asked again"


def test_what_is_adopted_is_not_carried_out(here: Fleet, capsys: Capture) -> None:
    write("a")
    write("b")
    assert ended(["apply", "specs", "--adopt", "-k", "a"]) == 0
    assert "1 version adopted; nothing was sent" in capsys.readouterr().err
    assert ended(["apply", "specs", "--dry-run", "-v"]) == 0
    assert f" by {user_and_host()}" in capsys.readouterr().out
    assert answer(capsys) == (0, {"a": "adopted", "b": "queued"})
    work(here)
    assert here.starts() == {"b": 1}


def test_what_waited_for_a_version_is_queued_in_the_transaction_that_adopts_it(here: Fleet, capsys: Capture) -> None:
    write("a", "needs: [b]\n")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    write("c", "needs: [b, d]\n")
    write("d")
    for process in ("UsrRefund", "UsrCharge"):
        here.sandbox.set_fault("success_but_error", process)
    assert answer(capsys) == (0, {"a": "waiting", "b": "queued", "c": "waiting", "d": "queued"})
    work(here)
    assert ended(["apply", "specs", "--for", "r2", "--adopt", "-k", "b"]) == 0
    assert here.states() == {"a": "waiting", "b": "failed", "c": "waiting", "d": "failed"}, "it has another key"
    capsys.readouterr()
    assert ended(["apply", "specs", "--adopt", "-k", "b"]) == 0
    assert "\nqueued, as nothing is waited for any more: `a@here`\n" in capsys.readouterr().err
    assert here.states() == {"a": "queued", "b": "failed", "c": "waiting", "d": "failed"}
    write("d", mark="d2")
    assert ended(["apply", "specs", "--adopt", "-k", "d"]) == 0, "the version now, whose earlier version has failed"
    assert here.states()["c"] == "queued"
    work(here)
    assert answer(capsys) == (0, {"a": "passed", "b": "adopted", "c": "passed", "d": "adopted"})


def test_what_a_fleet_cannot_do_is_refused_and_nothing_is_queued(
    here: Fleet, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a", steps="steps:\n  - {confirm: 'Now?'}\n" + charges("a").removeprefix("steps:\n"))
    targets = here.folder / "targets.yaml"
    targets.write_text(here.sandbox.targets(more="    protected: true\n") + "  box: {sandbox: doubles}\n")
    for words, code, why in (
        (["-t", "box"], 6, "`box` is a sandbox, and a fleet has none"),
        ([], 6, "asks a person, and there is no terminal"),
        (["--yes"], 6, "target `here` is protected"),
        (["-j", "2"], 2, "`--jobs` says nothing to a fleet"),
        (["--runs", "x"], 2, "`--runs` says nothing to a fleet"),
        (["--ledger", "x", "--db", here.dsn], 2, "`--ledger` says nothing to a fleet"),
        (["--db", "none"], 2, "no connection string"),
        (["--db", "postgresql://me:s3cret@127.0.0.1:1/x"], 3, "refused"),
        (["--format", "json", "--report-junit", "-"], 2, "both go to stdout"),
    ):
        capsys.readouterr()
        assert ended(["apply", "specs", *words]) == code, words
        said = capsys.readouterr().err
        assert why in said
        assert "s3cret" not in said
    assert here.states() == {}
    assert ended(["apply", "specs", "--yes", "--confirm", "here"]) == 0
    work(here)
    assert here.starts() == {"a": 1}
    monkeypatch.delenv("CREATIO_RUNNER_DB")
    assert ended(["apply", "specs", "--fleet", "x"]) == 2
    assert "`--fleet` names a ledger in a database" in capsys.readouterr().err


def test_a_worker_refuses_what_its_own_targets_file_protects_and_nobody_confirmed(here: Fleet, capsys: Capture) -> None:
    write("a")
    targets = here.folder / "targets.yaml"
    open_to_all = targets.read_text()
    assert ended(["apply", "specs"]) == 0
    targets.write_text(here.sandbox.targets(more="    protected: true\n"))
    work(here)
    assert (here.states(), here.starts()) == ({"a": "refused"}, {})
    capsys.readouterr()
    assert ended(["apply", "specs", "--confirm", "here"]) == 6
    assert "target `here` is protected here, and nobody confirmed this run" in capsys.readouterr().err
    targets.write_text(open_to_all)
    assert ended(["apply", "specs", "--confirm", "here", "--retry", "refused"]) == 0
    targets.write_text(here.sandbox.targets(more="    protected: true\n"))
    work(here)
    assert here.starts() == {}, "whom the file of `apply` does not protect, nobody confirms"
    assert ended(["apply", "specs", "--confirm", "here", "--retry", "refused"]) == 0
    work(here)
    assert here.starts() == {"a": 1}


def test_a_queued_plan_that_was_changed_in_the_database_is_refused(here: Fleet, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    here.sql("update runs set plan = replace(plan, 'Mark: a', 'Mark: b')")
    work(here)
    assert (here.states(), here.starts()) == ({"a": "refused"}, {})
    assert ended(["status"]) == 0
    assert ended(["apply", "specs"]) == 6
    assert "the run's plan does not fit its digest" in capsys.readouterr().err


def test_who_applies_needs_no_secret_and_the_database_gets_none(
    here: Fleet, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = here.folder / "targets.yaml"
    targets.write_text(targets.read_text().replace("password: Supervisor", 'password: "{{ env.SITE_PASSWORD }}"'))
    write(
        "a",
        "inputs: {pin: {type: string, secret: true}}\n",
        steps=charges("a").replace("Mark: a", 'Mark: "{{ inputs.pin }}"'),
    )
    assert ended(["apply", "specs", "-i", "pin=pin-58-secret"]) == 2
    assert "input `pin` is secret, and no secret goes into the database of a fleet" in capsys.readouterr().err
    assert ended(["apply", "specs"]) == 0
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PIN", "pin-58-secret")
    monkeypatch.setenv("SITE_PASSWORD", "Supervisor")
    assert answer(capsys) == (0, {"a": "queued"}), "a secret makes no other version"
    work(here)
    assert answer(capsys) == (0, {"a": "passed"})
    assert here.starts() == {"pin-58-secret": 1}
    with psycopg.connect(here.dsn) as connection:
        for (table,) in connection.execute("select tablename from pg_tables where schemaname = 'runner'").fetchall():
            for (row,) in connection.execute(f"select t::text from runner.{table} t".encode()).fetchall():
                assert "pin-58-secret" not in row
                assert "password: Supervisor" not in row


def test_four_commands_at_once_queue_each_version_once(here: Fleet) -> None:
    for number in range(12):
        write(f"j{number}", "needs: [j0]\n" if number else "")
    started = [start("apply", "specs", "-q", stderr=DEVNULL) for _ in range(4)]
    assert [each.wait(TIME) for each in started] == [0] * 4
    assert here.sql("select count(*), count(distinct title) from runs") == [(12, 12)]
    assert here.sql("select count(*) from attempts") == [(12,)]
    work(here)
    assert here.starts() == {f"j{number}": 1 for number in range(12)}


@pytest.mark.parametrize(
    ("moment", "table", "trigger"),
    [
        ("before", "needs", "trigger sleeps after insert on {} for each statement"),
        ("during", "runs", "constraint trigger sleeps after insert on {} deferrable initially deferred for each row"),
    ],
)
def test_a_command_that_is_killed_before_or_during_its_commit_leaves_all_or_nothing(
    moment: str, table: str, trigger: str, here: Fleet
) -> None:
    write("a")
    write("b", "needs: [a]\n")
    sleep = "begin perform pg_sleep(1); return null; end"
    here.sql(f"create function sleeps() returns trigger language plpgsql as $$ {sleep} $$")
    here.sql(f"create {trigger.format(table)} execute function sleeps()")
    killed = start("apply", "specs", "-q", stderr=DEVNULL)
    busy = "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
    until(lambda: here.sql(busy) != [])
    killed.kill()
    killed.wait()
    here.sql("select own_fleet('')")  # waits until the transaction of the killed command is over
    left = 0 if moment == "before" else 2
    for each in ("ledger", "attempts", "runs"):
        assert here.sql(f"select count(*) from {each}") == [(left,)]
    assert here.sql("select count(*) from procrastinate_jobs") == [(left // 2,)]
    here.sql(f"drop trigger sleeps on {table}")
    assert ended(["apply", "specs", "-q"]) == 0
    work(here)
    assert here.starts() == {"a": 1, "b": 1}


def test_what_apply_prints_for_programs_fits_its_schema(here: Fleet, capsys: Capture) -> None:
    write("a")
    gone = write("b")
    write("c", "needs: [a]\n")
    for words in (["--dry-run"], [], [], ["--dry-run"], ["--ledger", ".runner/ledger"]):
        capsys.readouterr()
        ended(["apply", "specs", "--format", "json", *words])
        assert flaws("apply", json.loads(capsys.readouterr().out)) == []
    here.sandbox.set_fault("success_but_error", "UsrCharge")
    work(here)
    gone.unlink()
    write("a", mark="a2")
    capsys.readouterr()
    ended(["apply", "specs", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert flaws("apply", document) == []
    assert [version["title"] for version in document["gone"]] == ["b@here"]
    (version,) = (version for version in document["versions"] if version["job"] == "a")
    assert (version["decision"], version["state"], version["before"]["status"]) == ("changed", "queued", "failed")


def test_waiting_ends_with_the_code_of_the_worst_version_and_its_reports(here: Fleet, capsys: Capture) -> None:
    write("a")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    here.sandbox.set_fault("success_but_error", "UsrRefund")
    assert ended(["apply", "specs", "--wait", "1ms"]) == 3
    said = capsys.readouterr().err
    assert "`a@here` is not carried out: run " in said
    assert " of this version is queued" in said
    assert "hint: wait for it with `--wait 10m`; `runner status " in said
    assert "waiting up to 1 ms for 2 runs\n! 2 runs in the queue: nobody serves `here`\n" in said
    thread = in_thread(lambda: work(here))
    capsys.readouterr()
    assert ended(["apply", "specs", "--wait", "2m", "--report-json", "report.json"]) == 1
    thread.join()
    said = capsys.readouterr().err
    assert "passed  a@here  " in said or "1 passed before" in said, "the worker may be faster than the command"
    assert re.search(r"failed  b@here  \w+  failed [-0-9]+: `runner show [-0-9a-f]+ --db postgresql://", said)
    assert "E183" not in said
    write("a", mark="a2")

    def work_when_queued() -> None:
        until(lambda: "queued" in [state for (state,) in here.sql("select state from runs")])
        meanwhile.append(Path("report.json").read_text())
        work(here)

    meanwhile: list[str] = []
    thread = in_thread(work_when_queued)
    assert ended(["apply", "specs", "--wait", "2m", "-k", "a", "--report-json", "report.json"]) == 0
    thread.join()
    assert meanwhile == [""]
    report = json.loads(Path("report.json").read_text())
    assert [(run["job"], run["status"]) for run in report["runs"]] == [("a", "passed")]
    assert "waiting up to 2 min for 1 run" in capsys.readouterr().err


def test_a_run_that_ends_between_two_readings_has_ended(here: Fleet) -> None:
    write("a")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    assert ended(["apply", "specs"]) == 0
    with closing(FleetLedger(here.dsn)) as ledger, closing(FleetStore(here.dsn)) as store:
        before = ledger.newest()
        assert ended(["stop", str(before[1].last.run)]) == 0
        work(here)
        a, b = ObservedFleet(store).observe(before)
        ends = [entry.last.end for entry in ledger.newest()]
    found = [each.entry.last.end for each in (a, b)]
    assert [(end.status, end.exit_code) for end in found if end] == [(end.status, end.exit_code) for end in ends if end]
    assert [known_state(a), known_state(b)] == ["passed", "cancelled"]


def test_who_stops_waiting_stops_no_run(here: Fleet) -> None:
    write("a")
    with command("apply", "specs", "--wait", "10m") as waiting:
        waiting.until("waiting up to 10 min")
        assert here.states() == {"a": "queued"}
        waiting.send_signal(signal.SIGINT)
        assert waiting.end() == 130
    said = "SIGINT: nothing is waited for any more; the runs go on, and `runner status --db postgresql://"
    assert said in waiting.err
    assert here.states() == {"a": "queued"}
    work(here)
    assert here.states() == {"a": "passed"}


def test_a_version_that_was_refused_or_cancelled_before_it_began_says_why_and_that_nothing_was_sent(
    here: Fleet, capsys: Capture
) -> None:
    write("a")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    assert answer(capsys) == (0, {"a": "queued", "b": "queued"})
    ((run,),) = here.sql("select id::text from runs where title = 'b@here'")
    assert ended(["stop", str(run)]) == 0
    allowed = Path("targets.yaml").read_text()
    Path("targets.yaml").write_text(here.sandbox.targets(more="    allow: {processes: [UsrOther]}\n"))
    work(here)
    Path("targets.yaml").write_text(allowed)
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 3
    said = capsys.readouterr().err
    assert re.search(r"`a@here` is not .* refused on [-0-9]+, and nothing was sent: .*UsrCharge", said)
    assert "hint: remove the cause, then carry it out with `--retry refused`" in said
    assert re.search(r"`b@here` is not .* cancelled on [-0-9]+ before it began: cancelled by ", said)
    assert "carried out on" not in said
    assert answer(capsys, "--retry", "refused") == (3, {"a": "queued", "b": "cancelled"})
    work(here)
    assert here.starts() == {"a": 1}
    assert answer(capsys, "--retry", "failed") == (0, {"a": "passed", "b": "queued"})


def test_a_version_that_was_queued_and_is_blocked_counts_as_blocked(here: Fleet, capsys: Capture) -> None:
    write("a", "needs: [b]\n")
    write("b", steps=charges("b").replace("UsrCharge", "UsrRefund"))
    here.sandbox.set_fault("success_but_error", "UsrRefund")

    def work_when_queued() -> None:
        until(lambda: here.states() == {"a": "waiting", "b": "queued"})
        work(here)

    thread = in_thread(work_when_queued)
    assert ended(["apply", "specs", "--wait", "2m", "--report-json", "report.json"]) == 1
    thread.join()
    said = capsys.readouterr().err
    assert "`a@here` is blocked by `b`" in said
    assert "applied: 1 blocked, 1 failed; 0 passed before\n" in said
    write("c", "needs: [b]\n")
    assert ended(["apply", "specs", "-k", "c", "-k", "b", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"^blocked  c@here  \w+  after b$", shown.out, re.MULTILINE)
    assert "0 would begin, 0 passed before, 1 blocked, 1 failed\n" in shown.err
    assert ended(["apply", "specs", "-k", "c", "-k", "b"]) == 1
    assert "applied: nothing new; 0 passed before, 1 failed, 1 blocked\n" in capsys.readouterr().err


def test_waiting_ends_with_what_a_version_needs_that_ended_before_anything_was_sent(
    here: Fleet, capsys: Capture
) -> None:
    write("a", "needs: [b]\n")
    write("b")
    targets = Path("targets.yaml")
    works = targets.read_text()

    def work_when_queued() -> None:
        until(lambda: here.states() == {"a": "waiting", "b": "queued"})
        targets.write_text(works.replace("  here:", "  there:"))
        work(here)

    thread = in_thread(work_when_queued)
    assert ended(["apply", "specs", "--wait", "20m"]) == 6
    thread.join()
    targets.write_text(works)
    said = capsys.readouterr().err
    assert "`a@here` is blocked by `b`" in said
    assert re.search(r"refused  b@here  \w+  refused [-0-9]+", said), said
    assert "applied: 1 blocked, 1 refused; 0 passed before\n" in said
    assert here.states() == {"a": "waiting", "b": "refused"}
    assert ended(["apply", "specs", "--retry", "refused"]) == 0
    work(here)
    assert here.starts() == {"a": 1, "b": 1}


def test_who_put_a_run_into_the_queue_is_in_its_events_although_a_worker_begins_it(
    here: Fleet, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a")
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    assert ended(["apply", "specs"]) == 0
    monkeypatch.setenv("GITHUB_ACTOR", "the-worker")
    work(here)
    capsys.readouterr()
    assert ended(["show", "last"]) == 0
    assert f"  queued by {user_and_host()} (octocat in CI)\n" in capsys.readouterr().out
    ((event,),) = here.sql("select line from events where kind = 'run.started'")
    assert json.loads(str(event))["begun_by"] == {"user": user_and_host(), "ci_user": "octocat", "confirmed": None}


def test_a_run_that_was_stopped_says_who_ordered_it_and_has_one_exit_code_everywhere(
    here: Fleet, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a", steps="steps:\n  - pause: 10m\n")
    assert ended(["apply", "specs"]) == 0
    ((found,),) = here.sql("select id::text from runs")
    run = str(found)
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    with here.runs() as runs, closing(FleetStore(here.dsn)) as store:
        thread = in_thread(lambda: runs.carry(run))
        until(lambda: here.sql("select 1 from events where kind = 'step.started'") != [])
        assert ended(["stop", run]) == 0
        monkeypatch.setenv("GITHUB_ACTOR", "somebody-later")
        assert ended(["stop", run]) == 0
        for each, person in orders.to_stop(store.link, runs.running()).items():
            runs.stop(each, person)
        thread.join()
    capsys.readouterr()
    assert ended(["show", run]) == 0
    output = capsys.readouterr().out
    assert f"exit 130: stopped by {user_and_host()} (octocat in CI)\n" in output
    assert f"E312: stopped by {user_and_host()} (octocat in CI)\n" in output
    assert "SIGINT" not in output
    assert ended(["report", run, "--report-json", "report.json"]) == 130
    (reported,) = json.loads(Path("report.json").read_text())["runs"]
    assert reported["stop_ordered_by"] == {"user": user_and_host(), "ci_user": "octocat"}
    assert answer(capsys) == (130, {"a": "cancelled"})
    assert ended(["status", "--check"]) == 130
    assert here.sql("select exit_code from attempts") == [(130,)]


@pytest.mark.parametrize("key", [["--for", "release 2"], ["--every", "24h"], []])
def test_the_command_that_a_failed_run_prints_queues_the_same_version_in_the_same_ledger(
    key: list[str], here: Fleet, capsys: Capture
) -> None:
    Path("targets.yaml").rename("sites.yaml")
    inputs = "{who: {type: string}, sums: {type: array, default: []}, usual: {type: string, default: Ann}}"
    cases = "[{name: red, inputs: {usual: Red}}, {name: blue, inputs: {usual: Blue}}]"
    mark = "{{ inputs.usual }} {{ inputs.who }} {{ inputs.sums | length }}"
    write("a", f"inputs: {inputs}\ncases: {cases}\n", steps=charges("a").replace("Mark: a", f'Mark: "{mark}"'))
    given = ["-i", "who=it's me", "-i", "sums=[1, 2]", "--targets", "sites.yaml", "--fleet", "mine", *key]
    here.sandbox.set_fault("success_but_error", "UsrCharge")
    assert ended(["apply", "specs", *given]) == 0
    Path("sites.yaml").rename("targets.yaml")
    work(here)
    Path("targets.yaml").rename("sites.yaml")
    ((run, title),) = here.sql("select id::text, title from runs where status = 'failed'")
    capsys.readouterr()
    assert ended(["show", str(run)]) == 0
    shown = capsys.readouterr().out
    assert "queues it once more; careful" in shown
    (command,) = re.findall(r"^ *(runner apply .*)$", shown, re.MULTILINE)
    words = shlex.split(command)
    assert words[:6] == ["runner", "apply", "specs/a.job.yaml", "-t", "here", "-k"]
    assert f"{words[6]}@here" == title
    assert ended(["pull", str(run)]) == 0
    assert ended(["rerun", str(run), "--runs", ".runner/runs"]) == 6
    assert f"`{command}` carries it out once more" in capsys.readouterr().err
    assert ended(["show", str(run), "--runs", ".runner/runs"]) == 0
    assert command in capsys.readouterr().out
    before = here.sql("select fleet, digest, count(*) from attempts group by 1, 2 order by 3, 2")
    assert ended(words[1:]) == 0
    after = here.sql("select fleet, digest, count(*) from attempts group by 1, 2 order by 3, 2")
    assert [count for _, _, count in before] == [1, 1]
    assert [count for _, _, count in after] == [1, 2]
    assert {row[:2] for row in before} == {row[:2] for row in after}
    Path("sites.yaml").rename("targets.yaml")
    work(here)
    mark = "Red it's me 2" if title == "a[red]@here" else "Blue it's me 2"
    assert here.starts() == {"Red it's me 2": 1, "Blue it's me 2": 1} | {mark: 2}
