"""The picture of a terminal in the README: a real run of jobs in `specs`, as an SVG that fetches nothing."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "specs" / "terminal.svg"
JOBS = ("contact-smoke.job.yaml", "onboarding.job.yaml")
_COLUMNS = 124
CHANGING = (
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|sha256:[0-9a-f]+|:[0-9]{4,5}\b|[0-9.]+ (?:m?s|min)\b"
)
"""What differs from run to run: ids, hashes, ports and times."""


def picture(folder: Path) -> str:
    """The SVG of a run that is carried out now, in a copy of `specs` below `folder`."""
    shutil.copytree(ROOT / "specs", folder / "specs", ignore=shutil.ignore_patterns(".runner"))
    jobs = [f"specs/{job}" for job in JOBS]
    shown = screen(_written([str(Path(sys.executable).with_name("runner")), "run", *jobs], folder))
    console = Console(file=StringIO(), record=True, width=_COLUMNS, force_terminal=True, color_system="truecolor")
    for line in (f"$ runner run {' '.join(jobs)}", *shown):
        console.print(Text.from_ansi(line), highlight=False)
    svg = console.export_svg(title="runner run", unique_id="terminal")
    return re.sub(r" +$", "", re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), flags=re.MULTILINE)


def lasting(svg: str) -> list[str]:
    """The texts of a picture without what differs from run to run."""
    texts = ["".join(each.itertext()) for each in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    return [text for text in (re.sub(CHANGING, "…", " ".join(each.split())) for each in texts) if text]


def screen(written: str) -> list[str]:
    """What is left on a terminal, line by line: lines that were cleared or gone up to are drawn over."""
    lines, at = [""], 0
    for part in re.split(r"(\r\n|\r|\x1b\[2K|\x1b\[1A|\x1b\[\?25[lh])", written):
        match part:
            case "\r\n":
                at += 1
                lines += [""] * (at == len(lines))
            case "\x1b[2K":
                lines[at] = ""
            case "\x1b[1A":
                at = max(at - 1, 0)
            case "\r" | "\x1b[?25l" | "\x1b[?25h":
                pass
            case _:
                lines[at] += part
    return lines[: at + 1] if lines[at] else lines[:at]


def _written(command: Sequence[str], folder: Path) -> str:
    """All that the command writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, _COLUMNS, 0, 0))
    plain = {name: text for name, text in os.environ.items() if not name.startswith(("CREATIO_", "GITHUB_", "CI"))}
    environment = {**plain, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment
    ) as running:
        os.close(theirs)
        output = b""
        while part := _read(ours):
            output += part
    os.close(ours)
    assert running.returncode == 0, output.decode()
    return output.decode()


def _read(terminal: int) -> bytes:
    """The next bytes; none where the other end is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
