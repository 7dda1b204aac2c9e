"""`runner apply --db` and real workers, with a database that goes away meanwhile."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleets import Fleet, at_site, charges
from postgres import Cluster

from runner.cli.main import ended

pytestmark = pytest.mark.slow

RUNNER = str(Path(sys.executable).with_name("runner"))


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
    with subprocess.Popen([RUNNER, "apply", "specs", "--wait", "5m"], stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        said = ""
        while "waiting up to" not in said:
            said += waiting.stderr.readline()
        ((locks, lock),) = cut_off.sql("select count(distinct lock), min(lock) from runs")
        assert locks == 1
        assert str(lock).startswith("tours at http://")
        own_cluster.stop()
        while "it is waited for" not in said:
            said += waiting.stderr.readline()
        own_cluster.start()
        cut_off.worker("-j", "2")
        said += waiting.stderr.read()
    assert waiting.returncode == 0, said + cut_off.said()
    assert "applied: 3 passed; 0 passed before\n" in said
    assert cut_off.starts() == {"a": 1, "b": 1, "c": 1}
    assert ended(["apply", "specs", "--wait", "1m"]) == 0
