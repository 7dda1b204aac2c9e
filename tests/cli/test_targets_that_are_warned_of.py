"""What a target may be, and is warned of: called without TLS, or with its password in the file."""

from pathlib import Path

import pytest

from runner.cli.main import ended

JOB = "runner: 1\nname: a\ntarget: intranet\nsteps:\n  - pause: 1ms\n"
IN_THE_CLEAR = "warning[E167]: target `intranet` is called without TLS (`plain_http`)"


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("a.job.yaml").write_text(JOB)
    Path("b.job.yaml").write_text(JOB.replace("name: a", "name: b"))


def write(target: str) -> None:
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n  intranet: {target}\n")


@pytest.mark.parametrize("url", ["http://crm.intra", '"{{ env.SITE }}"'])
def test_a_target_without_tls_is_warned_of_once_a_command(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", "http://crm.intra")
    write(f"{{url: {url}, plain_http: true}}")
    assert ended(["plan", "."]) == 0
    assert capsys.readouterr().err.count(IN_THE_CLEAR) == 1
    assert ended(["run", "."]) == 0
    assert capsys.readouterr().err.count(IN_THE_CLEAR) == 1


@pytest.mark.parametrize(
    "target", ["{url: http://localhost, plain_http: true}", "{url: https://crm.intra, plain_http: true}"]
)
def test_there_is_no_warning_of_this_machine_and_of_tls(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(target)
    assert ended(["plan", "."]) == 0
    assert "E167" not in capsys.readouterr().err


def test_without_the_key_nothing_is_sent_in_the_clear(capsys: pytest.CaptureFixture[str]) -> None:
    write("{url: http://crm.intra}")
    assert ended(["run", "."]) == 2
    output = capsys.readouterr().err
    assert "error[E143]" in output
    assert "`plain_http: true` in a targets file allows it" in output


def test_a_password_in_the_file_is_warned_of_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    write("{url: https://crm.intra, auth: {username: a, password: swordfish}}")
    assert ended(["validate", "."]) == 0
    output = capsys.readouterr().out
    assert output.count("warning[E166]: `password` is written in this file") == 1
    assert "swordfish" not in output
