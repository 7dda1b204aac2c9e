"""The reports that are stored with each run."""

from pathlib import Path

from runner.cli.main import ended


def test_what_a_run_writes_is_what_is_stored_with_it() -> None:
    Path("doubles").mkdir()
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {sandbox: doubles}}\n")
    Path("a.job.yaml").write_text("runner: 1\nname: a\ntarget: here\nsteps: [{pause: 1ms}]\n")
    assert ended(["run", "a.job.yaml", "--report-json", "out.json", "--report-junit", "out.xml"]) == 0
    (run,) = Path(".runner/runs").iterdir()
    assert (run / "report.json").read_bytes() == Path("out.json").read_bytes()
    assert (run / "junit.xml").read_bytes() == Path("out.xml").read_bytes()
