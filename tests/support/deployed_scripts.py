"""What scripts of the files for CI and cron have around them: a shell with few variables, and a site."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sites import NOTHING, Told, xml

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


@dataclass
class Answers:
    """Answers an execute by what `given` says of its process, else with 7."""

    given: dict[str, Told] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, _method: str, path: str) -> Told:
        if "/Execute" not in path:
            return NOTHING
        process = path.split("/")[4]
        self.asked.append(process)
        return self.given.get(process, xml(7))


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
