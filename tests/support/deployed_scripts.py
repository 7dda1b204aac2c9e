"""What scripts of the files for CI and cron have around them: a shell with few variables, and a site."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(sys.executable).parent
JOB = """runner: 1
name: {0}
target: here
defaults: {{verify: none}}
steps:
  - id: act
    execute: {{process: Usr{0}, result: Out}}
    expect: [result == 7]
"""
PATH = f"{TOOLS}{os.pathsep}/usr/bin{os.pathsep}/bin"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    summary: str = ""


def shell(script: str, environment: dict[str, str], *command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    home = {"HOME": str(folder.parent), "XDG_STATE_HOME": str(folder.parent / "state")}
    return subprocess.run(
        [*command, script], env=home | environment, cwd=folder, check=False, capture_output=True, text=True
    )
