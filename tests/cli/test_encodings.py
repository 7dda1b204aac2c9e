"""Terminals and pipes that are not UTF-8: what they cannot show is escaped, and nothing breaks."""

import io
import json
import sys
from pathlib import Path

import pytest
from sites import NOTHING, site, targets

from runner.cli.main import ended, main

BROKEN = "runner: 1\nname: broken\nш: ✓\n"
GREETED = "name=Мир ✓ 世界"


class Pipe(io.TextIOWrapper):
    """A stream of an encoding, strict as Python makes it where nobody says otherwise."""

    def __init__(self, encoding: str) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, encoding=encoding, errors="strict", write_through=True)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["run", "hello.job.yaml", "-i", GREETED], 0),
        (["run", "hello.job.yaml", "-i", GREETED, "-v", "--report-json", "-"], 0),
        (["plan", "hello.job.yaml", "-i", GREETED], 0),
        (["validate", "broken.job.yaml"], 2),
        (["list", "hello.job.yaml", "broken.job.yaml"], 2),
        (["doctor", "-t", "мир"], 2),
        (["плян"], 2),
        (["runs"], 0),
        (["--help"], 0),
        (["plan", "--help"], 0),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_no_command_breaks_where_the_output_cannot_take_its_characters(
    command: list[str], code: int, encoding: str, *, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        main(["init", "."])
    Path("hello.job.yaml").write_text(Path("hello.job.yaml").read_text().replace("Who is greeted", "世界 ✓"))
    Path("broken.job.yaml").write_text(BROKEN)
    out, err = Pipe(encoding), Pipe(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as ended:
        main(command)
    output = err.written.getvalue().decode(encoding, "replace")
    assert ended.value.code == code, output
    assert "E700" not in output


def test_a_password_in_a_file_that_begins_with_a_mark_of_windows_is_sent_without_it() -> None:
    Path("password.txt").write_bytes(b"\xef\xbb\xbfpa55-w0rd\r\n")
    with site(lambda _method, _path: NOTHING) as here:
        written = targets(here.url).replace("pa55-w0rd", "\"{{ file('password.txt') }}\"")
        Path("targets.yaml").write_text(written)
        ended(["doctor"])
        assert json.loads(here.sign_ins[0])["UserPassword"] == "pa55-w0rd"


def test_a_number_that_is_to_be_a_text_is_quoted_as_it_is_in_the_file_of_inputs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(["init", "."]) == 0
    Path("inputs.yaml").write_text("name: 007\n")
    assert ended(["run", "hello.job.yaml", "--inputs", "inputs.yaml"]) == 2
    assert 'put it in quotes: "007"' in capsys.readouterr().err
