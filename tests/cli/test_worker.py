"""`runner worker`: what is wrong with its targets is found before it takes a run. No database is reached here."""

from pathlib import Path

import pytest
from running import DEVNULL, PIPE, start

TARGETS = """runner: 1
targets:
  staging: {url: https://staging.invalid, auth: {username: "{{ env.SITE_USER }}", password: "{{ env.SITE_PASSWORD }}"}}
  other: {url: https://other.invalid, auth: {username: "{{ env.OTHER_USER }}", password: "{{ env.SITE_PASSWORD }}"}}
  test: {sandbox: doubles}
"""
NOBODY = "postgresql://nobody@127.0.0.1:9/none"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("targets.yaml").write_text(TARGETS)
    Path("doubles").mkdir()
    for name in ("SITE_USER", "SITE_PASSWORD", "OTHER_USER"):
        monkeypatch.delenv(name, raising=False)


def refused(*words: str) -> str:
    with start("worker", "--once", "--db", NOBODY, *words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE) as process:
        try:
            _, err = process.communicate(300)
            assert process.wait() == 2
        finally:
            process.kill()
    return err.decode()


def test_a_worker_without_the_credentials_of_its_target_takes_no_run() -> None:
    shown = refused("-t", "staging")
    assert "error[E142]: " in shown
    assert "SITE_USER" in shown
    assert "takes runs of" not in shown


def test_each_site_of_a_whole_targets_file_must_be_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_USER", "someone")
    monkeypatch.setenv("SITE_PASSWORD", "something")
    shown = refused()
    assert "OTHER_USER" in shown
    assert "`SITE_USER`" not in shown


def test_a_worker_of_a_sandbox_is_refused_before_it_takes_a_run() -> None:
    assert "error[E141]: a fleet has no sandbox" in refused("-t", "test")
