"""Files that nobody writes: each is answered with mistakes, soon, and in little memory.

They are always the same, so a sixteenth of each kind shows what a change has broken; `pytest --long tests/fuzz` tries
all ten thousand.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bounded import MOST_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.first]

PROGRAM = Path(__file__).parents[1] / "support" / "fuzzing.py"
COUNTS = {"bytes": 2_500, "cut": 2_500, "nested": 700, "aliases": 300, "structure": 1_500, "expressions": 2_500}
SHARE = 16
MOST_MEGABYTES = 300


def test_ten_thousand_files_are_tried() -> None:
    assert sum(COUNTS.values()) == 10_000


@pytest.mark.parametrize("kind", COUNTS)
def test_no_file_brings_a_crash_or_takes_long_or_fills_the_memory(kind: str, pytestconfig: pytest.Config) -> None:
    count = COUNTS[kind] // (1 if pytestconfig.getoption("--long") else SHARE)
    ran = subprocess.run([sys.executable, PROGRAM, kind, str(count)], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr[-3_000:]
    found = json.loads(ran.stdout)
    print(kind, found)  # noqa: T201  figures
    assert found["count"] == count
    assert found["slowest"] < MOST_SECONDS, "of the processor"
    assert found["megabytes"] < MOST_MEGABYTES
    assert len(found["codes"]) > 2
