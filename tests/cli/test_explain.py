import json

import pytest

from runner.cli.main import ended
from runner.explanations.read import titles


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = ended(["explain", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("written", ["E104", "e104", "104", " E104 ", "error[E104]:"])
def test_a_code_is_explained_however_it_is_written(written: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, written)
    assert (code, err) == (0, "")
    assert out.startswith("E104: unknown key\n")
    assert "attemps: 3" in out
    assert "max_attempts: 3" in out


def test_alone_it_lists_every_code_by_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == list(titles())
    assert "templates and expressions:\n  E120  an expression that cannot be read\n" in out


def test_several_codes_are_explained_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "E104", "E305")
    assert out.index("E104: unknown key") < out.index("\n\nE305: no answer in time\n")


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("secret", "E133 (a secret on the command line)"),
        ("E12", "E120 (an expression that cannot be read)"),
        ("E1044", "E104 (unknown key)"),
        ("139", "E130 (a required input is missing)"),
        ("E999", "`runner explain` lists all codes"),
    ],
)
def test_for_an_unknown_code_those_that_are_near_are_named(
    written: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, written)
    assert (code, out) == (2, "")
    assert f"there is no code `{written}`" in err
    assert near in err


def test_json_holds_the_parts_of_an_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "E104", "--format", "json")
    whole = json.loads(out)
    assert whole["format"] == 1
    assert [one["code"] for one in whole["codes"]] == ["E104"]
    assert list(whole["codes"][0]["sections"]) == ["Wrong", "Right", "Check"]


def test_json_of_no_code_holds_all(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "--format", "json")
    assert [one["code"] for one in json.loads(out)["codes"]] == list(titles())
