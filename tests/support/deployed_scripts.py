"""What scripts of the files for CI and cron have around them: a shell with few variables, `runner`, and a site."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from forked_runner import forked_runner

JOB = """runner: 1
name: {0}
target: here
defaults: {{verify: none}}
steps:
  - id: act
    execute: {{process: Usr{0}, result: Out}}
    expect: [result == 7]
"""
PATH = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    summary: str = ""


def shell(script: str, environment: dict[str, str], *command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The end of a script, which finds `runner` on the PATH of its environment."""
    home = {"HOME": str(folder.parent), "XDG_STATE_HOME": str(folder.parent / "state")}
    with forked_runner() as ours:
        given = {**home, **environment, "PATH": f"{ours}{os.pathsep}{environment['PATH']}"}
        return subprocess.run([*command, script], env=given, cwd=folder, check=False, capture_output=True, text=True)


def twice(night: Callable[[], None]) -> int:
    """Carry out a night's jobs twice; how many days (UTC) that took: they are carried out once in each."""
    first = datetime.now(UTC).date()
    night()
    night()
    return 1 + (datetime.now(UTC).date() - first).days
