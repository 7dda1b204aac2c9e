"""The table of filters, and the worked example in `runner/README.md` of how to add one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.expressions.filters.record import parameters
from runner.expressions.filters.table import FILTERS, LOOPS

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(
    r"## To add a filter\n.*?```python\n(?P<function>.*?)```\n.*?```python\n(?P<record>.*?)```", re.DOTALL
)
TRY_IT = """
import sys
from runner.expressions.filters import texts

exec(sys.argv[1], vars(texts))
texts.FILTERS = {**texts.FILTERS, **eval("{" + sys.argv[2] + "}", vars(texts))}

from runner.cli.main import ended

print([int(ended(line.split())) for line in sys.argv[3:]])
"""
JOB = """
runner: 1
name: a
target: sandbox
vars: {text: a b c}
steps:
  - pause: 1ms
    expect:
      - vars.text | words | length == 3
      - vars.text | words(1) == ["a", "b c"]
      - ([vars.text] | map("words"))[0][1] == "b"
"""
WRONG = """
runner: 1
name: a
steps:
  - pause: 1ms
    expect: [run.id | length | words == 1, run.id | words == "a", run.id | wrods == 1, "run.id | words(1, 2) == 1"]
"""


@pytest.mark.slow
def test_a_filter_that_is_added_as_the_map_of_the_code_says_is_complete(tmp_path: Path) -> None:
    example = EXAMPLE.search((ROOT / "runner" / "README.md").read_text(encoding="utf-8"))
    assert example is not None
    (tmp_path / "a.job.yaml").write_text(JOB)
    (tmp_path / "wrong.job.yaml").write_text(WRONG)
    (tmp_path / "sandbox").mkdir()
    lines = {"run a.job.yaml -q": 0, "validate a.job.yaml": 0, "validate wrong.job.yaml": 2, "explain E124": 0}

    ran = subprocess.run(
        [sys.executable, "-c", TRY_IT, example["function"], example["record"], *lines],
        cwd=tmp_path,
        env={"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert str(list(lines.values())) in ran.stdout, ran.stdout + ran.stderr
    assert "- Filter `words`: the words of a text as a list." in ran.stdout
    for message in (
        "E174]: `words` takes a text, and `run.id | length` is a number",
        "E177]: `run.id | words` is a list",
        "did you mean `words`?",
        "`words` takes 0 to 1 argument, here are 2",
    ):
        assert message in ran.stdout + ran.stderr


@pytest.mark.parametrize("name", sorted(FILTERS.keys() - LOOPS.keys()))
def test_a_filter_says_what_it_gives_and_names_its_arguments(name: str) -> None:
    names, needs = parameters(FILTERS[name].call)
    assert 0 <= needs <= len(names)
    assert re.fullmatch(r"\S.*[^.]", FILTERS[name].about)
