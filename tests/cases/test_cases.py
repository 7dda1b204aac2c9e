"""Whole commands: a folder is a case. It holds job files, the command in `command.txt`, and what it must print.

`output.txt` is what the command prints, then its exit code, then what happened as the run's events tell it; times, ids
and ports are replaced. Without `targets.yaml` the case runs on the doubles that ship. `pytest --update` writes
the outputs anew.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from expected_texts import ExpectedTexts

from runner.cli.main import ended

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SPECS = HERE.parents[1] / "specs"
CASES = sorted(path.parent for path in HERE.glob("*/command.txt"))

_REPLACED = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:…"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "RUN"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"20\d\d-\d\d-\d\dT[0-9:.]+Z?"), "WHEN"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:ms|s)\b(?! of)"), "TIME"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_case_prints_what_it_must(
    case: Path,
    *,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    expected_texts: ExpectedTexts,
) -> None:
    shutil.copytree(case, tmp_path / "case")
    if not (tmp_path / "case" / "targets.yaml").exists():
        shutil.copytree(SPECS / "sandbox", tmp_path / "case" / "sandbox")
    monkeypatch.chdir(tmp_path / "case")
    printed = "".join(
        _carried_out(command, capfd) for command in (case / "command.txt").read_text().splitlines() if command
    )
    printed += _story(tmp_path / "case" / ".runner" / "runs")
    for pattern, replacement in _REPLACED:
        printed = pattern.sub(replacement, printed)
    expected_texts.check(case / "output.txt", printed)


def test_there_are_cases() -> None:
    assert len(CASES) > 5


def _carried_out(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    code = ended(shlex.split(command))
    captured = capfd.readouterr()
    talk = "".join(f"| {line}\n" for line in captured.err.splitlines())
    return f"$ runner {command}\n{captured.out}{talk}exit {int(code)}\n"


def _story(runs: Path) -> str:
    """The events of every run, a line each: their type, and the row or call they speak of.

    How often a process is looked at depends on the time that it takes, so looks and pauses are left out.
    """
    lines = []
    for run in sorted(runs.iterdir()) if runs.exists() else ():
        lines.append("events:")
        looking: set[str] = set()
        for written in (run / "events.jsonl").read_text().splitlines():
            event = json.loads(written)
            key = event.get("key") or event.get("row", {}).get("key") or ""
            kind = event.get("call", {}).get("kind")
            if event["type"] == "paused" or kind in _LOOKS or (event["type"] == "call.answered" and key in looking):
                looking ^= {key} if event["type"] != "paused" else set()
                continue
            lines.append(f"  {event['type']} {key} {kind or event.get('status') or event.get('why') or ''}".rstrip())
    return "".join(f"{line}\n" for line in lines)


_LOOKS = ("read_row", "read_elements", "read_element_data")
