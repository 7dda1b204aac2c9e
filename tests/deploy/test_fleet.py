"""What the files for clusters and for Compose start, started here: the tables, a worker that has a site's secrets, and
`apply`, which has none, with jobs as a ConfigMap is mounted.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from deployed import ROOT, SHIPPED, documents, of_container
from deployed_scripts import twice
from fleets import until
from forked_runner import forked_runner
from running import TIME, carried_out, start
from sandboxes import ServedSandbox, serve_sandbox

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Places:
    """Where on this machine is what a container has at fixed places."""

    folder: Path
    dsn: str
    site: ServedSandbox

    def line(self, arguments: list[str]) -> list[str]:
        places = {"/jobs": "jobs", "/config": "jobs", "/tmp/alive": "alive"}
        for place, ours in places.items():
            arguments = [word.replace(place, str(self.folder / ours)) for word in arguments]
        return arguments

    def environment(self, **more: str) -> dict[str, str]:
        """What a container has; nothing of this machine's own."""
        known = {name: value for name, value in os.environ.items() if not name.startswith("CREATIO_")}
        return known | {"CREATIO_RUNNER_DB": self.dsn, "XDG_STATE_HOME": str(self.folder / "state")} | more

    def carry_out(self, arguments: list[str], **more: str) -> "subprocess.CompletedProcess[str]":
        return carried_out(*self.line(arguments), env=self.environment(**more))

    def mount(self, moment: str, *, job: str | None = None) -> None:
        volume = self.folder / "jobs"
        (volume / moment).mkdir(parents=True)
        (volume / "..data").unlink(missing_ok=True)
        (volume / "..data").symlink_to(moment)
        targets = (SHIPPED / "targets.yaml").read_text().replace("https://staging.example.com", self.site.url)
        text = job or (SHIPPED / "contacts.job.yaml").read_text()
        night = (SHIPPED / "night.job.yaml").read_text()
        for name, content in (("contacts.job.yaml", text), ("night.job.yaml", night), ("targets.yaml", targets)):
            (volume / moment / name).write_text(content)
            if not (volume / name).is_symlink():
                (volume / name).symlink_to(f"..data/{name}")

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker as the cluster starts it, until a signal ends it in order."""
        secrets = {"CREATIO_USERNAME": "Supervisor", "CREATIO_PASSWORD": "Supervisor"}
        arguments = self.line(of_container("worker", "Deployment creatio-worker-staging"))
        with start(*arguments, env=self.environment(**secrets)) as process:
            try:
                until((self.folder / "alive").exists)
                yield
                process.send_signal(signal.SIGTERM)
                assert process.wait(TIME) == 0
            finally:
                process.kill()


@pytest.fixture
def places(fleet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    monkeypatch.chdir(tmp_path)
    with serve_sandbox(ROOT / "specs" / "sandbox") as site:
        made = Places(folder=tmp_path, dsn=fleet, site=site)
        made.mount("..2026_11_30")
        yield made


def test_what_the_cluster_starts_applies_a_job_once_and_each_night(places: Places) -> None:
    migrated = places.carry_out(of_container("migrate", "Job creatio-migrate"))
    assert migrated.returncode == 0, migrated.stderr
    with places.worker():
        apply = of_container("apply", "Job creatio-apply")
        done = places.carry_out(apply)
        assert done.returncode == 0, done.stderr
        assert len(places.site.starts()) == 1
        places.mount("..2026_12_01")
        assert "nothing new" in places.carry_out(apply).stderr

        def night() -> None:
            assert places.carry_out(of_container("apply", "CronJob creatio-nightly")).returncode == 0

        days = twice(night)
        assert 1 <= len(places.site.starts()) - 1 <= days
    assert not (places.folder / ".runner").exists()


def test_the_action_with_a_database_keeps_nothing_and_waits_for_a_worker(places: Places) -> None:
    (action,) = documents(SHIPPED / "github" / "action.yml")
    (script,) = [step["run"] for step in action["runs"]["steps"] if step.get("name") == "Apply"]
    given = {"FOLDER": "jobs", "WAIT": "10m", "DRY_RUN": "false", "FIRST": "", "WITHOUT_LEDGER": "stop"}
    given |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(places.folder / "summary.md")}
    with places.worker(), forked_runner() as ours:
        given["PATH"] = f"{ours}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=places.folder,
            env=places.environment(**given),
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "all 2 runs passed" in (places.folder / "summary.md").read_text(), "for GitHub the tag has no meaning"
    assert "<testsuites" in (places.folder / "creatio-junit.xml").read_text()
    assert not (places.folder / "jobs" / ".runner").exists()
