"""`runner apply --db` and real workers, with a database that goes away meanwhile."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleets import Fleet, at_site, charges, until
from postgres import Cluster
from running import Change, command

from runner.cli.main import ended

pytestmark = pytest.mark.slow

LAST_QUERIES = "select pid, query_start from pg_stat_activity where state = 'idle' and application_name <> ''"
LATER = {"module": "runner.cli.apply_fleet", "seconds": 300.0}


def until_seen(here: Fleet) -> None:
    """Wait until the command has read all versions again."""
    queries = set[object]()

    def are_many() -> bool:
        queries.update(here.sql(LAST_QUERIES))
        return len(queries) > 8

    until(are_many)


@pytest.fixture
def cut_off(own_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.chdir(tmp_path)
    own_cluster.start()
    own_cluster.make_template()
    (tmp_path / "specs").mkdir()
    with at_site(own_cluster.new_database(), tmp_path) as made:
        monkeypatch.setenv("CREATIO_RUNNER_DB", made.dsn)
        yield made


def test_real_workers_carry_out_what_was_queued_and_an_outage_ends_no_waiting(
    cut_off: Fleet, own_cluster: Cluster
) -> None:
    for name in "abc":
        more = "concurrency: tours\n" + ("needs: [a]\n" if name == "b" else "")
        Path(f"specs/{name}.job.yaml").write_text(f"runner: 1\nname: {name}\ntarget: here\n{more}{charges(name)}")
    with command("apply", "specs", "--wait", "5m") as waiting:
        waiting.until("waiting up to")
        ((locks, lock),) = cut_off.sql("select count(distinct lock), min(lock) from runs")
        assert locks == 1
        assert str(lock).startswith("tours at http://")
        own_cluster.stop()
        waiting.until("it is waited for")
        own_cluster.start()
        cut_off.worker("-j", "2")
        assert waiting.end() == 0, waiting.err + cut_off.said()
    assert "applied: 3 passed; 0 passed before\n" in waiting.err
    assert cut_off.starts() == {"a": 1, "b": 1, "c": 1}
    assert ended(["apply", "specs", "--wait", "1m"]) == 0


@pytest.mark.parametrize("end", ["signal", "time"])
def test_waiting_that_ends_in_an_outage_still_ends_with_its_code_its_summary_and_its_reports(
    end: str, cut_off: Fleet, own_cluster: Cluster
) -> None:
    for name, more in (("a", ""), ("b", "needs: [a]\n"), ("c", "")):
        steps = charges(name).replace("UsrCharge", "UsrRefund") if name == "c" else "steps:\n  - pause: 10m\n"
        Path(f"specs/{name}.job.yaml").write_text(f"runner: 1\nname: {name}\ntarget: here\n{more}{steps}")
    cut_off.sandbox.set_fault("success_but_error", "UsrRefund")
    words = ["--wait", "5m", "--format", "json", "--report-json", "report.json"]
    change = Change(module="advanced_clock", function="advance_at_signal", values=LATER)
    with command("apply", "specs", *words, out=Path("printed.json"), change=change) as waiting:
        waiting.until("waiting up to")
        with cut_off.runs() as runs:
            ((failing,),) = cut_off.sql("select id::text from runs where job = 'c'")
            runs.carry(str(failing))
        until_seen(cut_off)
        own_cluster.stop()
        waiting.until("it is waited for")
        waiting.send_signal(signal.SIGINT if end == "signal" else signal.SIGUSR1)
        code = waiting.end()
    assert code == (130 if end == "signal" else 3), waiting.err
    document = json.loads(Path("printed.json").read_text())
    assert {version["job"]: version["state"] for version in document["versions"]} == {
        "a": "queued",
        "b": "waiting",
        "c": "failed",
    }
    assert "applied: 2 queued, 1 failed; 0 passed before\n" in waiting.err
    assert "the reports are without the runs that were waited for: the database: " in waiting.err
    report = json.loads(Path("report.json").read_text())
    assert report["runs"] == []
    assert report["exit_code"] == document["exit_code"] == code
