"""What every verb says of itself."""

import re

import pytest

from runner.cli.main import VERBS, ended


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_an_example_that_begins_with_it(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended([verb, "--help"]) == 0
    out = capsys.readouterr().out
    examples = out.partition("Example")[2]
    assert re.search(rf"^ +runner {verb}\b", examples, re.MULTILINE), out


def test_every_verb_is_listed_with_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert ended(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^  {verb} +\w.*\.$", out, re.MULTILINE) for verb in VERBS)
