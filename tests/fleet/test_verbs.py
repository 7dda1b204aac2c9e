"""The verbs that read runs read those of a fleet, too; `pull` copies one byte for byte; `status` counts."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from captured import Capture
from many_runs import make_many_runs
from postgres import Cluster
from strict_schema import flaws

from runner.cli.main import ended
from runner.fleet import database, overview
from runner.fleet.database import Link
from runner.fleet.store import FleetStore
from runner.runs.files.store import FileRunStore
from runner.runs.store import Part

pytestmark = pytest.mark.slow

JOB = f"""
runner: 1
name: a
target: sandbox
steps:
  - pause: 1ms
  - id: echo
    execute: {{process: UsrEcho, parameters: {{Text: "{"grün " * 60_000}"}}, result: Text}}
"""
TARGETS = "runner: 1\ntargets: {here: {url: 'http://127.0.0.1:1', auth: {username: a, password: b}}}\n"
DOUBLE = "runner: 1\nprocess: UsrEcho\nparameters: {Text: {type: text, direction: both}}\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sandbox").mkdir(exist_ok=True)
    Path("sandbox/UsrEcho.process.yaml").write_text(DOUBLE)
    Path("a.job.yaml").write_text(JOB)
    monkeypatch.delenv("CREATIO_RUNNER_DB", raising=False)


def carried_out(fleet: str) -> str:
    """A run that ended here, as a fleet has it; it is not in the folder of runs any more."""
    assert ended(["run", "a.job.yaml"]) == 0
    local, store = FileRunStore(Path(".runner/runs")), FleetStore(fleet)
    (run,) = local.runs()
    log = store.create(run)
    kept = {"run": run, "kept": local.get(run, Part.PLAN).decode()}
    store.link.run("update runs set kept = %(kept)s where id = %(run)s", kept)
    for file in Path(f".runner/runs/{run}/results").glob("*.json"):
        log.put_result(file.stem, file.read_bytes())
    for line in local.get(run, Part.EVENTS).splitlines():
        log.append(line, durable=False)
    log.close()
    store.append_history(local.history().splitlines()[-1])
    store.close()
    Path(".runner").rename("local")
    return run


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_a_run_of_a_fleet_is_shown_reported_compared_and_listed(
    fleet: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carried_out(fleet)
    capsys.readouterr()
    for verb in (["show", run], ["show", "last"], ["report", "last", "--report-junit", "-"], ["history", "a"]):
        assert ended([*verb, "--db", fleet]) == 0
        from_fleet = capsys.readouterr().out
        assert (
            ended(
                [*verb, "--runs", "local/runs"]
                if verb[0] != "history"
                else ["history", "a", "--file", "local/history.jsonl"]
            )
            == 0
        )
        here = capsys.readouterr().out
        assert (
            from_fleet.replace(FleetStore(fleet).name.text, "X") == here.replace("local/runs", "X") or run in from_fleet
        )
    assert ended(["diff", run, "last", "--db", fleet]) == 0
    monkeypatch.setenv("CREATIO_RUNNER_DB", fleet)
    capsys.readouterr()
    assert ended(["runs", "--format", "json"]) == 0
    assert [found["id"] for found in json.loads(capsys.readouterr().out)["runs"]] == [run]
    assert ended(["runs", "--runs", "nowhere", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == [], "what is typed counts more than a variable"


def test_a_pulled_run_has_the_bytes_of_one_that_was_carried_out_here(fleet: str) -> None:
    run = carried_out(fleet)
    for _ in range(2):
        assert ended(["pull", run[:30], "--db", fleet]) == 0
        assert files(Path(".runner/runs") / run) == files(Path("local/runs") / run)
    assert len(files(Path("local/runs") / run)) == 5
    assert ended(["show", run]) == 0


def test_a_run_that_has_not_ended_is_not_pulled(fleet: str, capsys: Capture) -> None:
    run = carried_out(fleet)
    with database.connect(fleet) as sql:
        sql.execute("delete from events where seq = (select max(seq) from events)")
    assert ended(["pull", run, "--db", fleet]) == 2
    assert f"run {run} has not ended" in capsys.readouterr().err
    assert not Path(".runner").exists()


def test_another_run_of_this_id_is_not_written_over(fleet: str, capsys: Capture) -> None:
    run = carried_out(fleet)
    shutil.copytree("local", ".runner")
    events = Path(f".runner/runs/{run}/events.jsonl")
    events.write_bytes(events.read_bytes().replace(b'"seq":2', b'"seq":7'))
    assert ended(["pull", run, "--db", fleet]) == 2
    assert "is not the run that the fleet has" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["show", "last", "--runs", "x"], "`--db` and `--runs` both name where the runs are"),
        (["runs", "--prune", "1d"], "`runner fleet prune AGE`"),
        (["report", "last", "--open"], "--report-html FILE"),
        (["show", "last"], "`runner apply SPEC --db URL` queues runs; runs of this machine are in `--runs DIR`"),
        (["status", "0194"], "no run begins with `0194`"),
    ],
)
def test_what_a_fleet_cannot_do_is_refused(fleet: str, arguments: list[str], why: str, capsys: Capture) -> None:
    assert ended([*arguments, "--db", fleet]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb", [["show", "last"], ["status"], ["apply", "a.job.yaml", "-t", "here"], ["fleet", "migrate"]]
)
def test_a_server_that_cannot_be_reached_and_one_that_lets_nobody_in_have_a_code_each(
    verb: list[str], fleet: str, capsys: Capture
) -> None:
    Path("targets.yaml").write_text(TARGETS)
    with database.connect(fleet) as sql:
        sql.execute("do $$ begin create role outsider login; exception when duplicate_object then null; end $$")
        sql.execute("revoke all on schema runner from public")
    for dsn, code, why in (
        ("postgresql://me:s3cret@127.0.0.1:1/x", 3, "check its address"),
        (fleet.rpartition("/")[0] + "/nowhere", 2, "create the database"),
        (fleet.replace("postgres@", "nobody@"), 2, "create the role"),
        (fleet.replace("postgres@", "outsider@"), 2, "grant the user this right"),
        ("none", 2, "no connection string"),
    ):
        assert ended([*verb, "--db", dsn]) == code
        error = capsys.readouterr().err
        assert "E151" in error
        assert why in error
        assert "s3cret" not in error


def test_tables_that_are_not_there_are_made_by_migrating(postgres: Cluster, capsys: Capture) -> None:
    assert ended(["show", "last", "--db", postgres.dsn("template1")]) == 2
    assert "runner fleet migrate" in capsys.readouterr().err


def test_migrating_by_the_command_makes_the_tables_once(postgres: Cluster, capsys: Capture) -> None:
    with database.connect(postgres.dsn("postgres")) as sql:
        sql.execute("create database by_command")
    for words in ("the tables are up to date", "nothing was changed"):
        assert ended(["fleet", "migrate", "--db", postgres.dsn("by_command")]) == 0
        assert words in capsys.readouterr().err


def test_the_status_counts_by_target_and_names_what_needs_a_person(fleet: str, capsys: Capture) -> None:
    with database.connect(fleet) as sql:
        sql.execute(
            "insert into runs (id, title, target, state, status, exit_code, in_doubt) "
            "select gen_random_uuid(), 'many@staging', 'staging', 'ended', 'passed', 0, 0 from generate_series(1, 951) "
            "union all values ('0194d2a0-0000-7000-8000-000000000001'::uuid, 'charge@staging', 'staging', 'ended', "
            "'unknown', 4, 1), ('0194d2a0-0000-7000-8000-000000000002', 'orders@prod', 'prod', 'queued', null, null, 0)"
        )
    assert ended(["status", "--db", fleet]) == 0
    out = capsys.readouterr().out
    assert "staging         0         0       951         1" in out
    assert "? charge@staging  0194d2a0-0000-7000-8000-000000000001  unknown  1 in doubt: runner show 0194d2a0" in out
    assert "! 1 run in the queue: nobody serves `prod`" in out
    assert "0 workers alive" in out
    assert ended(["status", "--check", "--db", fleet, "-t", "staging", "--format", "json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert flaws("status", document) == []
    assert document["targets"] == {"staging": {"passed": 951, "unknown": 1}}
    assert [run["title"] for run in document["runs"]] == ["charge@staging"]
    assert ended(["status", "0194d2a0-0000-7000-8000-000000000002", "--db", fleet, "--check"]) == 3
    with database.connect(fleet) as sql:
        sql.execute("update runs set state = 'held', status = null, exit_code = null where in_doubt = 1")
    assert ended(["status", "0194d2a0-0000-7000-8000-000000000001", "--db", fleet, "--check"]) == 4
    capsys.readouterr()
    assert ended(["status", "--check", "--db", fleet, "-t", "staging", "-t", "stagin"]) == 5
    assert "the fleet has no run against `stagin`" in capsys.readouterr().err
    capsys.readouterr()
    assert ended(["status", "--db", fleet, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert flaws("status", document) == []
    assert document["unserved_runs"][0]["target"] == "prod"


def test_a_begun_run_that_only_workers_with_another_replay_version_could_take_is_served_by_nobody(
    fleet: str, capsys: Capture
) -> None:
    with database.connect(fleet) as sql:
        sql.execute("insert into procrastinate_workers (id) overriding system value values (7)")
        sql.execute("insert into workers (id, name, targets, jobs, replay) values (7, 'new', '{staging}', 1, 2)")
        sql.execute(
            "insert into runs (id, title, target, state, seq, replay) values "
            "(gen_random_uuid(), 'a@staging', 'staging', 'queued', 0, null), "
            "(gen_random_uuid(), 'b@staging', 'staging', 'running', 9, 2), "
            "(gen_random_uuid(), 'c@staging', 'staging', 'parked', 9, 1), "
            "(gen_random_uuid(), 'd@staging', 'staging', 'running', 9, 1)"
        )
        sql.execute("update runs set engine = '0.1.' || replay")
    assert ended(["status", "--db", fleet]) == 0
    out = capsys.readouterr().out
    assert "! 2 runs in the queue: nobody serves `staging` with replay version 1; start a worker of the version" in out
    assert "of the version that began them (0.1.1)\n" in out
    assert re.search("\n! c@staging .* parked  waits for a worker of version 0.1.1, which began it\n", out)
    assert re.search("\n! d@staging .* running  waits for a worker of version 0.1.1, which began it\n", out)
    assert re.search("\n> b@staging .* running  on ", out)
    assert ended(["status", "--db", fleet, "--check"]) == 3
    capsys.readouterr()
    assert ended(["status", "--db", fleet, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["unserved"] == {"staging": 2}


def test_a_begun_run_without_any_living_worker_is_not_said_to_need_another_version(fleet: str, capsys: Capture) -> None:
    with database.connect(fleet) as sql:
        sql.execute(
            "insert into runs (id, title, target, state, seq, replay) values "
            "(gen_random_uuid(), 'b@staging', 'staging', 'running', 9, 1)"
        )
    assert ended(["status", "--db", fleet]) == 0
    out = capsys.readouterr().out
    assert (
        "\n! 1 run has begun and has not ended: no worker of `staging` is alive; start a worker, it takes over" in out
    )
    assert "in the queue" not in out


def test_the_status_of_many_runs_reads_indices_and_the_rows_that_it_lists(fleet: str) -> None:
    make_many_runs(fleet, count=20_000)
    for targets in (None, ["t1", "t2"]):
        values = {"targets": targets, "alive": 30.0, "limit": 20}
        with closing(Link(fleet)) as link:
            plans = {
                name: "\n".join(str(line) for (line,) in link.run(f"explain {statement}", values))
                for name, statement in overview.STATEMENTS.items()
            }
        assert {*plans} == {"counts", "workers", "runs", "unserved", "suspended"}
        for name, plan in plans.items():
            assert "Seq Scan on runs" not in plan, (name, plan)
        assert "Index Only Scan using runs_target" in plans["counts"]
        assert "Index Only Scan using runs_target" in plans["unserved"]
        assert ("using runs_listed" in plans["runs"]) == (targets is None)


def test_a_failed_attempt_needs_nobody_once_its_version_has_a_newer_one(fleet: str, capsys: Capture) -> None:
    ids = [f"0194d2a0-0000-7000-8000-00000000000{number}" for number in range(7)]
    kinds = [
        ("failed", "ended", "failed", 0),
        ("stopped", "ended", "cancelled", 0),
        ("refused", "refused", None, 0),
        ("unknown", "ended", "unknown", 1),
        ("doubtful", "ended", "failed", 1),
        ("held", "held", None, 1),
        ("alone", "ended", "failed", 0),
    ]
    with database.connect(fleet) as sql:
        for run, (title, state, status, in_doubt) in zip(ids, kinds, strict=True):
            sql.execute(
                "insert into runs (id, title, target, state, status, exit_code, in_doubt) values "
                "(%s, %s, 'staging', %s, %s, 1, %s)",
                (run, title, state, status, in_doubt),
            )
            sql.execute(
                "insert into ledger (digest, job, target, url, folder, title) values (%s, 'a', 'staging', '', '', 'a')",
                (run,),
            )
            sql.execute("insert into attempts (fleet, digest, run, began_at) values ('', %s, %s, now())", (run, run))
            if title != "alone":  # tried again, or adopted
                sql.execute("insert into attempts (fleet, digest, began_at) values ('', %s, now())", (run,))
    assert ended(["status", "--check", "--db", fleet, "--format", "json"]) != 0
    listed = {run["title"] for run in json.loads(capsys.readouterr().out)["runs"]}
    assert listed == {"unknown", "doubtful", "held", "alone"}
    with database.connect(fleet) as sql:
        sql.execute("delete from runs where title not in ('failed', 'stopped', 'refused')")
    assert ended(["status", "--check", "--db", fleet]) == 0


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("queued", None), "has not begun: it is queued"),
        (("cancelled", None), "was cancelled before it began"),
        (("refused", "input `token` is required"), "was refused before it began: input `token` is required"),
    ],
)
def test_a_run_that_has_not_begun_is_known_to_all_verbs(
    fleet: str, row: tuple[str, str | None], why: str, capsys: Capture
) -> None:
    run, (state, note) = "0194d2a0-0000-7000-8000-000000000001", row
    with database.connect(fleet) as sql:
        fence = int(state == "refused")  # a worker had it
        sql.execute(
            "insert into runs (id, title, target, state, note, fence) values (%s, 'a@staging', 'staging', %s, %s, %s)",
            (run, state, note, fence),
        )
    for name in (run, run[:9], "last"):
        assert ended(["show", name, "--db", fleet]) == 0
        assert capsys.readouterr().out == f"! a@staging  {run}  {state}{f'  {note}' if note else ''}\n"
        for verb in ("pull", "resume", "reconcile", "diff"):
            assert ended([verb, name, "--db", fleet]) == 2
            assert f"run {run} {why}" in capsys.readouterr().err


def test_a_run_whose_worker_is_dead_is_shown_with_since_when_it_is_silent(fleet: str, capsys: Capture) -> None:
    run, silent = carried_out(fleet), re.compile(r"its worker has been silent for 1[2-9]\d s")
    with database.connect(fleet) as sql:
        sql.execute("insert into procrastinate_workers (id, last_heartbeat) overriding system value values (7, now())")
        sql.execute("insert into workers (id, name, targets, jobs, replay) values (7, 'dead', '{sandbox}', 1, 1)")
        sql.execute("delete from events where seq = (select max(seq) from events)")
        sql.execute("update runs set state = 'running', status = null, worker = 'dead', seq = seq - 1")
        for seconds, is_silent in ((5, False), (120, True)):
            sql.execute(
                "update procrastinate_workers set last_heartbeat = now() - make_interval(secs => %s)", (seconds,)
            )
            capsys.readouterr()
            assert ended(["show", run, "--db", fleet]) == 0
            assert bool(silent.search(capsys.readouterr().out)) is is_silent
            assert ended(["resume", run, "--db", fleet]) == 6
            error = capsys.readouterr().err
            assert bool(silent.search(error)) is is_silent
            assert ("another process is writing" in error) is not is_silent


def test_a_run_whose_event_is_newer_than_the_question_is_not_ahead_of_it(fleet: str, capsys: Capture) -> None:
    run = carried_out(fleet)
    later = "now() + interval '1 minute'"
    with database.connect(fleet) as sql:
        sql.execute(
            f"update runs set state = 'running', status = null, worker = 'w', updated_at = {later} where id = %s",
            (run,),
        )
    capsys.readouterr()
    assert ended(["status", run, "--db", fleet]) == 0
    assert ", the last 0 s ago\n" in capsys.readouterr().out


def test_old_runs_are_pruned_but_none_that_somebody_has_to_settle(fleet: str, capsys: Capture) -> None:
    with database.connect(fleet) as sql:
        sql.execute(
            "insert into runs (id, title, state, status, updated_at) values "
            "(gen_random_uuid(), 'old', 'ended', 'failed', now() - interval '31 days'), "
            "(gen_random_uuid(), 'cancelled', 'cancelled', null, now() - interval '31 days'), "
            "(gen_random_uuid(), 'new', 'ended', 'passed', now() - interval '29 days'), "
            "(gen_random_uuid(), 'unknown', 'ended', 'unknown', now() - interval '31 days'), "
            "(gen_random_uuid(), 'held', 'held', null, now() - interval '31 days')"
        )
        assert ended(["fleet", "prune", "30d", "--db", fleet]) == 0
        assert "2 runs deleted" in capsys.readouterr().err
        assert sql.execute("select title from runs order by title").fetchall() == [("held",), ("new",), ("unknown",)]
    assert ended(["fleet", "prune", "soon", "--db", fleet]) == 2


def test_without_a_database_nothing_of_a_fleet_is_imported(fleet: str) -> None:
    code = (
        "import sys; from runner.cli.main import ended; "
        "assert [ended(['run', 'a.job.yaml', '-q']), ended(['runs']), ended(['show', 'last'])] == [0, 0, 0]; "
        "found = [name for name in sys.modules if name.partition('.')[0] in {'psycopg', 'procrastinate', 'asyncpg'} "
        "or name.startswith('runner.fleet')]; assert found == [], found"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    with_it = code.replace("ended(['runs'])", f"ended(['runs', '--db', {fleet!r}])")
    assert subprocess.run([sys.executable, "-c", with_it], check=False, capture_output=True).returncode == 1


def test_commands_about_a_run_of_this_machine_name_its_folder_where_the_environment_names_a_fleet(
    fleet: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_DB", fleet)
    Path("b.job.yaml").write_text(
        "runner: 1\nname: b\ntarget: sandbox\nsteps:\n  - id: a\n    pause: 1ms\n    expect: [1 == 2]\n"
    )
    Path("sandbox").mkdir(exist_ok=True)
    Path("sandbox/UsrA.process.yaml").write_text("runner: 1\nprocess: UsrA\n")
    capsys.readouterr()
    assert ended(["run", "b.job.yaml"]) == 1
    (run,) = (folder.name for folder in Path(".runner/runs").iterdir())
    assert f"runner rerun {run} --runs .runner/runs\n" in capsys.readouterr().out
    assert ended(["show", run, "--runs", ".runner/runs"]) == 0
    assert f"runner rerun {run} --runs .runner/runs\n" in capsys.readouterr().out
