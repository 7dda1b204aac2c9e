"""What a job without mistakes does not pay for, and long texts in it."""

import subprocess
import sys

import pytest

from runner.lint.job import check
from runner.reading.document import Document
from runner.reading.load import load

JOB = """\
runner: 1
name: a
steps:
  - id: first
    execute: {process: UsrA, result: Found}
    outputs: {last: 'result[0].Id'}
  - execute: {process: UsrB, parameters: {After: "{{ steps.first.outputs.last }}"}}
    if: steps.first.outputs.last != "a-b"
"""


@pytest.mark.slow
def test_no_table_of_hints_is_read() -> None:
    script = (
        "from runner.lint.job import check; from runner.reading.load import load;"
        "from runner.foundation import suggestions;"
        f"found = check(load('a.job.yaml', {JOB.encode()!r})); assert found == (), found;"
        "print(suggestions.foreign_words.cache_info().currsize)"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == "0\n"


def test_a_long_text_is_not_repeated_in_a_message() -> None:
    for number, found in ((50, 1), (51, 0)):
        text = "a%20" * number
        document = load("a.job.yaml", JOB.replace("UsrA,", f"UsrA, parameters: {{A: {text}}},").encode())
        assert isinstance(document, Document)
        assert len(check(document)) == found
