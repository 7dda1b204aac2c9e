"""The table of report formats, and the worked example in `runner/README.md` of how to add one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.hints import VARIABLES
from runner.reports.formats import FORMATS, docs_table

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(
    r"`reports/tap\.py`:\n\n```python\n(?P<module>.*?)```\n.*?`FORMATS`[^\n]*:\n\n```python\n(?P<record>.*?)```",
    re.DOTALL,
)
JOB = "runner: 1\nname: a\ntarget: sandbox\nsteps: [{pause: 1ms}]\n"
TRY_IT = """
import sys
from pathlib import Path
from runner.reports import formats

tap = type(sys)("tap")
exec(sys.argv[1], vars(tap))
formats.FORMATS = (*formats.FORMATS, eval(sys.argv[2], {**vars(formats), "tap": tap}))

from runner.cli import hints
from runner.cli.main import ended

hints.VARIABLES = Path("variables.txt")
codes = [int(ended(line.split())) for line in sys.argv[3:]]
print(codes, formats.docs_table(formats.FORMATS))
"""


def test_the_docs_table_has_a_line_for_each_format() -> None:
    table = docs_table()
    assert all(f"| `--report-{one.name} FILE` | {one.docs} |" in table for one in FORMATS)


@pytest.mark.slow
def test_a_format_that_is_added_as_the_map_of_the_code_says_is_complete(tmp_path: Path) -> None:
    example = EXAMPLE.search((ROOT / "runner" / "README.md").read_text(encoding="utf-8"))
    assert example is not None
    (tmp_path / "a.job.yaml").write_text(JOB)
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "mine.txt").write_text("not a report\n")
    (tmp_path / "variables.txt").write_text(f"{VARIABLES.read_text()}REPORT_TAP\n")  # as `--update` writes it
    lines = {
        "run --help": 0,
        "run a.job.yaml -q --report-tap out.tap": 0,
        "run a.job.yaml -q --report-tap ./out.tap": 0,  # over one of its own kind
        "run a.job.yaml -q --report-tap mine.txt": 2,
        "report last --report-tap -": 0,
        "report last": 2,
    }
    ran = subprocess.run(
        [sys.executable, "-c", TRY_IT, example["module"], example["record"], *lines],
        cwd=tmp_path,
        env={"CREATIO_RUNNER_REPORT_TPA": "x", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(list(lines.values())) in ran.stdout, ran.stdout + ran.stderr
    assert "--report-tap FILE" in ran.stdout
    assert "| `--report-tap FILE` | TAP, a line for each step |" in ran.stdout
    assert "did you mean `CREATIO_RUNNER_REPORT_TAP`?" in ran.stderr
    assert f"add {', '.join(one.option for one in FORMATS)} or --report-tap with a FILE" in ran.stderr
    assert "mine.txt: it is there already, and holds something else" in ran.stderr
    assert (tmp_path / "out.tap").read_text() == "TAP version 14\n1..1\nok 1 - 1\n"
