"""`runner apply` at a site of which its ledger knows nothing: in a fresh clone everything would happen twice."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployed_scripts import JOB
from sites import Executes, Site, site, targets

from runner.cli.main import ended
from runner.execution.first_time import UnknownSite, check_first_time
from runner.foundation.problems import RefusedError

READS = JOB.replace("    expect", "    effect: read\n    expect")


@pytest.fixture
def answers() -> Executes:
    return Executes()


@pytest.fixture(autouse=True)
def here(answers: Executes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/a.job.yaml").write_text(JOB.format("a"))
    with site(answers) as served:
        Path("targets.yaml").write_text(targets(served.url) + "    settle: 100ms\n")
        yield served


@pytest.mark.parametrize("more", [[], ["--yes"], ["--ledger", "ledger"], ["--quiet"]])
def test_nothing_begins_at_a_site_of_which_the_ledger_knows_nothing(
    more: list[str], answers: Executes, here: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("specs/b.job.yaml").write_text(READS.format("b"))
    for _ in range(2):
        assert ended(["apply", "specs", *more]) == 6
        ledger = "ledger" if "--ledger" in more else ".runner/ledger"
        assert (
            f"error[E185]: nothing was applied to `here` ({here.url}) with the ledger {ledger} yet; 1 version that may "
            "change it would begin, also what was applied from another folder: a@here\n"
            "   = hint: if this is the first time there, repeat the command with `--first-time`; "
        ) in capsys.readouterr().err
    assert answers.asked == []
    assert ended(["apply", "specs", *more, "--first-time"]) == 0
    assert answers.asked == ["Usra", "Usrb"]


def test_once_something_was_applied_there_no_word_is_needed(answers: Executes) -> None:
    assert ended(["apply", "specs", "--first-time"]) == 0
    Path("specs/b.job.yaml").write_text(JOB.format("b"))
    assert ended(["apply", "specs"]) == 0
    assert answers.asked == ["Usra", "Usrb"]
    shutil.rmtree(".runner")
    assert ended(["apply", "specs"]) == 6
    assert ended(["apply", "specs", "--adopt"]) == 0
    Path("specs/c.job.yaml").write_text(JOB.format("c"))
    assert ended(["apply", "specs"]) == 0
    assert answers.asked == ["Usra", "Usrb", "Usrc"]


def test_versions_that_only_read_need_no_word(answers: Executes) -> None:
    Path("specs/a.job.yaml").write_text(READS.format("a"))
    assert ended(["apply", "specs"]) == 0
    assert answers.asked == ["Usra"]


def test_what_was_applied_to_one_site_says_nothing_of_another(
    answers: Executes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(["apply", "specs", "--first-time"]) == 0
    with site(answers) as second:
        more = targets(second.url).replace("  here:", "  prod:").partition("targets:\n")[2]
        Path("targets.yaml").write_text(Path("targets.yaml").read_text() + more)
        assert ended(["apply", "specs", "-t", "here", "-t", "prod"]) == 6
        assert f"nothing was applied to `prod` ({second.url}) with the ledger" in capsys.readouterr().err
        assert answers.asked == ["Usra"]
        Path("targets.yaml").write_text(targets(second.url))
        assert ended(["apply", "specs"]) == 6, "the target has moved"
        assert answers.asked == ["Usra"]


def test_a_sandbox_needs_no_word_and_lets_no_site_be_known(answers: Executes) -> None:
    Path("doubles").mkdir()
    double = "runner: 1\nprocess: Usra\nparameters: {Out: {type: integer, direction: out}}\n"
    Path("doubles/Usra.process.yaml").write_text(double + "activities: [set: {Out: 7}]\n")
    file = Path("targets.yaml")
    file.write_text(file.read_text() + "  box: {sandbox: doubles}\n")
    assert ended(["apply", "specs", "-t", "box"]) == 0
    assert ended(["apply", "specs"]) == 6
    assert answers.asked == []


def test_a_dry_run_says_that_a_word_is_needed(here: Site, capsys: pytest.CaptureFixture[str]) -> None:
    line = (
        f"nothing was applied to `here` ({here.url}) with the ledger .runner/ledger yet: `apply` asks before it begins "
        "there, and without a terminal needs `--first-time`\n"
    )
    for form in ("text", "json"):
        assert ended(["apply", "specs", "--dry-run", "--format", form]) == 0
        shown = capsys.readouterr()
        assert line in shown.err
        assert form == "text" or json.loads(shown.out)["versions"][0]["decision"] == "new"
    assert ended(["apply", "specs", "--dry-run", "--first-time"]) == 0
    assert line not in capsys.readouterr().err
    assert not Path(".runner").exists()


def asked_of(*titles: str) -> UnknownSite:
    return UnknownSite(target="prod", url="https://example.com", ledger="ledger", titles=[*titles])


def test_a_person_is_asked_once_for_each_site_and_a_no_refuses_the_command() -> None:
    asked: list[str] = []
    first, second = asked_of("a@prod"), asked_of(*map(str, range(40)))

    def says_yes(question: str) -> bool:
        asked.append(question)
        return True

    check_first_time([first, second], ask=says_yes)
    known = "nothing was applied to `prod` (https://example.com) with the ledger ledger yet"
    assert asked == [
        f"{known}. Carry out a@prod for the first time?",
        f"{known}. Carry out 0, 1, 2, 3, 4 and 35 more for the first time?",
    ]
    with pytest.raises(RefusedError) as refused:
        check_first_time([first], ask=lambda _: False)
    assert refused.value.problems == (first.problem,)
