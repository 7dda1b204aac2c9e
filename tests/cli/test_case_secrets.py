"""A secret that a case gives: it is never replaced by one value for all cases without a word."""

import json
from pathlib import Path

import pytest
from captured import Capture

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: pay
target: here
cases: pay.csv
inputs: {card: {type: string, secret: true}}
steps:
  - {id: pay, run: {process: UsrPay, parameters: {Card: "{{ inputs.card }}"}, results: [Charged]}}
"""
DOUBLE = """runner: 1
process: UsrPay
parameters: {Card: {type: text}, Charged: {type: text, direction: out}}
activities: [{fail: no money, if: parameters.Card != "card-of-cleo"}]
"""
ANN, BOB = "card-of-ann-1", "card-of-bobby-22"


@pytest.fixture(autouse=True)
def project() -> None:
    Path("pay.job.yaml").write_text(JOB)
    Path("pay.csv").write_text(f"name,card\nann,{ANN}\nbob,{BOB}\n")
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {sandbox: sandbox}}\n")
    Path("sandbox").mkdir()
    Path("sandbox/UsrPay.process.yaml").write_text(DOUBLE)


def runs() -> list[Path]:
    return sorted(each for each in Path(".runner/runs").iterdir() if each.is_dir())


def began(run: Path) -> dict[str, object]:
    first: dict[str, object] = json.loads((run / "events.jsonl").read_text().splitlines()[0])
    return first


def test_no_command_gives_all_cases_one_secret(capsys: Capture) -> None:
    assert ended(["run", "pay.job.yaml"]) == 1
    printed = capsys.readouterr().out
    assert "runner run pay.job.yaml -t here --last-failed\n" in printed
    assert f"runner rerun {runs()[0].name} --failed\n" in printed
    assert "-i card" not in printed
    assert began(runs()[0])["case_secrets"] == ["card"]


@pytest.mark.parametrize("chosen", [["--failed"], []])
def test_a_rerun_reads_the_secret_from_the_case_again(chosen: list[str], capsys: Capture) -> None:
    """Also from a case in another line than then; and a rerun of the rerun does."""
    assert ended(["run", "pay.job.yaml"]) == 1
    Path("pay.csv").write_text(f"name,card\ncleo,card-of-cleo\nann,{ANN}\nbob,{BOB}\n")
    for _ in range(2):
        before = runs()
        assert ended(["rerun", "last", *chosen]) == 1
        new = runs()[len(before) :]
        assert [began(run)["case"] for run in new] == (["ann", "bob"] if chosen else ["bob"])
        assert all(began(run)["case_secrets"] == ["card"] for run in new)
    printed = capsys.readouterr()
    assert ANN not in printed.out + printed.err + "".join(run.joinpath("events.jsonl").read_text() for run in runs())


OTHER = "secret `inputs.card` of `pay[bob]` came from its case, and what is given now is another value"
GONE = "secret `inputs.card` of `pay[bob]` came from its case, which does not have that value any more"
KEPT = f"name,card\nann,{ANN}\nbob,{BOB}\n"


@pytest.mark.parametrize(
    ("given", "csv", "printed"),
    [
        (["-i", "card=@cleo"], KEPT, (OTHER, "nothing was sent; leave `-i card` out: the case still has its value")),
        (
            [],
            KEPT.replace(BOB, "card-of-cleo"),
            (GONE, "as a new run: `runner run pay.job.yaml -t here -k 'pay[bob]'`"),
        ),
        (["-i", "card=@cleo"], "name,card\n", (GONE, "nothing was sent")),
    ],
)
def test_another_secret_than_that_of_the_case_is_refused(
    given: list[str], csv: str, printed: tuple[str, str], capsys: Capture
) -> None:
    assert ended(["run", "pay.job.yaml"]) == 1
    Path("pay.csv").write_text(csv)
    Path("cleo").write_text("card-of-cleo\n")
    before = runs()
    assert ended(["rerun", "last", *given]) == 2
    message, hint = printed
    refused = capsys.readouterr().err
    assert f"E157]: {message}" in refused
    assert hint in refused
    assert runs() == before


def test_the_secret_of_then_may_be_given_where_its_case_is_gone() -> None:
    assert ended(["run", "pay.job.yaml"]) == 1
    Path("pay.csv").unlink()
    Path("bob").write_text(f"{BOB}\n")
    assert ended(["rerun", "last", "-i", "card=@bob"]) == 1
    assert len(runs()) == 3


@pytest.mark.parametrize("by_variable", [False, True])
def test_one_value_in_the_place_of_those_of_several_cases_is_warned_of(
    by_variable: bool,  # noqa: FBT001  a parameter of the test
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    Path("cleo").write_text("card-of-cleo\n")
    given, source = ["-i", "card=@cleo"], "the command line"
    if by_variable:
        monkeypatch.setenv("CREATIO_RUNNER_INPUT_CARD", "card-of-cleo")
        given, source = [], "`CREATIO_RUNNER_INPUT_CARD`"
    assert ended(["run", "pay.job.yaml", *given]) == 0
    printed = capsys.readouterr().err
    warned = f"warning[E150]: 2 cases give the input `card`, and {source} gives all of them another value in its place"
    assert warned in printed
    assert "hint: leave it out if each case is to have its own `card`" in printed
    assert "case_secrets" not in began(runs()[0])
    assert ended(["run", "pay.job.yaml", "-k", "ann", *given]) == 0
    assert "warning[E150]" not in capsys.readouterr().err, "for one case alone it is what somebody wants"
