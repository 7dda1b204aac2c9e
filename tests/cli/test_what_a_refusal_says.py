"""What a site says when it refuses: in the message, and in the events, without secrets and safe to print."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from journals import read
from sites import NOTHING, Answer, site, targets

from runner.cli.main import ended
from runner.runs.events import AttemptFailed

JOB = """runner: 1
name: refused
target: here
steps:
  - id: start
    execute: {process: UsrStart}
    verify: none
"""
STACK = "at Terrasoft.Core.Process.Run()"
XML = (
    '<Fault xmlns="http://schemas.microsoft.com/ws/2005/05/envelope/none"><Reason><Text>{words}</Text></Reason>'
    "<Detail>{stack}</Detail></Fault>"
)
PAGE = "<html><head><title>{words}</title></head><body><h1>{words}</h1><pre>{stack}</pre></body></html>"


def refusing(answer: Answer) -> Callable[[str, str], Answer]:
    return lambda _method, path: answer if "/Execute" in path else NOTHING


def run_against(answer: Answer, *options: str) -> tuple[int, str]:
    """The exit code, and what the events hold of the answer."""
    Path("a.job.yaml").write_text(JOB)
    with site(refusing(answer)) as here:
        Path("targets.yaml").write_text(targets(here.url))
        code = ended(["run", "a.job.yaml", *options])
    (folder,) = (path for path in Path(".runner/runs").iterdir() if path.is_dir())
    body, *_ = (
        line.event.body
        for line in read(folder).lines
        if isinstance(line.event, AttemptFailed) and line.event.key == "start"
    )
    return code, body or ""


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(body=json.dumps({"success": False, "errorInfo": {"message": "no contact", "stackTrace": STACK}})), 1),
        (Answer(status=500, body=XML.format(words="no contact", stack=STACK), kind="application/xml"), 1),
        (Answer(status=403, body=json.dumps({"Message": "no contact", "StackTrace": STACK})), 1),
        (Answer(status=403, body=PAGE.format(words="no contact", stack=STACK), kind="text/html"), 4),
        (Answer(status=400, body=f"no contact {STACK}", kind="text/plain"), 1),
        (Answer(status=400, body=json.dumps({"title": "no contact", "trace": STACK})), 1),
        (Answer(status=503, body=PAGE.format(words="no contact", stack=STACK), kind="text/html"), 4),
    ],
)
def test_its_words_are_in_the_message_and_its_answer_in_the_events(
    answer: Answer, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ended_with, body = run_against(answer)
    assert ended_with == code
    assert "no contact" in capsys.readouterr().out
    assert "no contact" in body
    assert STACK in body


def test_secrets_are_cut_out_of_it_and_nothing_in_it_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    words = "pa55-w0rd of integration \x1b[2J##vso[task] " + "pa55-w0rd" * 800
    code, body = run_against(Answer(status=400, body=json.dumps({"detail": words})), "-v")
    assert code == 1
    out = capsys.readouterr().out
    assert "the answer: " in out
    for text in (body, out):
        assert "pa55" not in text
    assert "\x1b" not in out
    assert "##vso[" not in out
