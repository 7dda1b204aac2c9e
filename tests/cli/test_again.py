"""`--last-failed` and `--fail-fast`: which runs begin, seen by what a site was asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from captured import Capture
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: here
inputs: {{process: {{type: string, default: ""}}}}
defaults: {{verify: none}}
{cases}
steps:
  - execute: {{process: Usr{name}, parameters: {{Which: "{{{{ inputs.process }}}}"}}, result: Out}}
    effect: read
    expect: [result == 1]
"""


class Answers:
    """Execute gives 1, but for a path that holds one of `wrong`."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = wrong

    def __call__(self, _method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        return xml(2 if any(text in path for text in self.wrong) else 1)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def here(answers: Answers) -> Iterator[Site]:
    with site(answers) as place:
        both = targets(place.url)
        Path("targets.yaml").write_text(both + both.partition("targets:\n")[2].replace("here:", "there:"))
        for name in ("a", "b", "c"):
            Path(f"{name}.job.yaml").write_text(JOB.format(name=name, cases=""))
        yield place


def asked(place: Site) -> list[str]:
    """What the executes since the last look were for."""
    found = [line.partition(".svc/Usr")[2].replace("/Execute?ResultParameterName=Out", "") for line in place.executes()]
    place.asked.clear()
    return found


def test_only_what_did_not_pass_is_carried_out_again_until_it_passes(here: Site, answers: Answers) -> None:
    answers.wrong = ("Usrb",)
    assert ended(["run", "."]) == 1
    assert asked(here) == ["a&Which=", "b&Which=", "c&Which="]
    assert ended(["run", ".", "--last-failed"]) == 1
    assert asked(here) == ["b&Which="]
    answers.wrong = ()
    assert ended(["run", ".", "--last-failed"]) == 0
    assert asked(here) == ["b&Which="]
    assert ended(["run", ".", "--last-failed"]) == 5
    assert asked(here) == []


def test_what_no_command_has_carried_out_is_named_and_left_out(here: Site, answers: Answers, capsys: Capture) -> None:
    answers.wrong = ("Usrb",)
    assert ended(["run", ".", "-k", "a", "-k", "b"]) == 1
    assert asked(here) == ["a&Which=", "b&Which="]
    capsys.readouterr()
    assert ended(["run", ".", "--last-failed"]) == 1
    assert asked(here) == ["b&Which="]
    assert "left out by `--last-failed`, as no command has had to do with them: c\n" in capsys.readouterr().err


def test_what_starts_again_although_it_must_happen_once_is_named_before_it_is_sent(
    here: Site, answers: Answers, capsys: Capture
) -> None:
    job = Path("b.job.yaml")
    job.write_text(job.read_text().replace("effect: read", "id: act"))
    answers.wrong = ("Usrb", "Usrc")
    assert ended(["run", "."]) == 1
    asked(here)
    capsys.readouterr()
    assert ended(["run", ".", "--last-failed", "-q"]) == 1
    assert capsys.readouterr().err.startswith("b@here: `once` steps that start again: act\n")
    assert asked(here) == ["b&Which=", "c&Which="]


def test_inputs_that_are_not_those_of_then_are_named(here: Site, answers: Answers, capsys: Capture) -> None:
    answers.wrong = ("Usrb",)
    assert ended(["run", "b.job.yaml", "-i", "process=x"]) == 1
    capsys.readouterr()
    assert ended(["run", "b.job.yaml", "--last-failed", "-q"]) == 1
    assert capsys.readouterr().err.startswith("b@here: its inputs are not those of then: `process`; `runner rerun ")
    assert ended(["run", "b.job.yaml", "--last-failed", "-q"]) == 1
    assert "those of then" not in capsys.readouterr().err
    assert asked(here) == ["b&Which=x", "b&Which=", "b&Which="]


def test_what_broke_off_is_not_begun_again_before_it_is_settled(here: Site, answers: Answers, capsys: Capture) -> None:
    answers.wrong = ("Usrb", "Usrc")
    assert ended(["run", "."]) == 1
    (journal,) = (path for path in Path(".runner/runs").glob("*/events.jsonl") if b"Usrb" in path.read_bytes())
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    journal.with_name("report.json").unlink()
    asked(here)
    capsys.readouterr()
    assert ended(["run", ".", "--last-failed"]) == 6
    assert asked(here) == []
    refused = capsys.readouterr().err
    assert f"run {journal.parent.name} of b@here is not settled: it has not come to its end" in refused
    assert f"`runner resume {journal.parent.name}`" in refused
    assert ended(["resume", journal.parent.name]) == 1
    assert ended(["run", ".", "--last-failed"]) == 1
    assert asked(here) == ["b&Which=", "c&Which="]


@pytest.mark.usefixtures("here")
def test_no_resume_is_offered_of_a_run_whose_events_were_changed(capsys: Capture) -> None:
    job = JOB.replace("effect: read", "effect: once")
    Path("b.job.yaml").write_text(job.format(name="b", cases=""))
    assert ended(["run", "b.job.yaml"]) == 0
    (journal,) = Path(".runner/runs").glob("*/events.jsonl")
    first, second, *others, _ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([first, second.replace(b'"seq":2', b'"seq": 2'), *others]))
    journal.with_name("report.json").unlink()
    capsys.readouterr()
    assert ended(["run", "b.job.yaml", "-q"]) == 0
    said = capsys.readouterr().err
    assert f"warning[E181]: run {journal.parent.name} of b@here is not settled" in said
    assert "hint: nobody can say any more what this run did, so it cannot be resumed" in said


def test_cases_and_targets_are_kept_apart(here: Site, answers: Answers) -> None:
    cases = "cases: [{name: red, inputs: {process: red}}, {name: blue, inputs: {process: blue}}]"
    Path("a.job.yaml").write_text(JOB.format(name="a", cases=cases))
    answers.wrong = ("blue",)
    assert ended(["run", "a.job.yaml", "-t", "here"]) == 1
    answers.wrong = ()
    assert ended(["run", "a.job.yaml", "-t", "there"]) == 0
    asked(here)
    assert ended(["run", ".", "-t", "here", "-t", "there", "--last-failed"]) == 0
    assert asked(here) == ["a&Which=blue"]


def test_without_a_run_that_failed_nothing_is_selected_and_the_sentence_says_where_it_searched(
    here: Site, capsys: Capture
) -> None:
    assert ended(["run", ".", "--last-failed", "--runs", "kept"]) == 5
    assert "none of these runs has failed, by what kept knows: nothing was selected" in capsys.readouterr().err
    assert ended(["run", ".", "--last-failed", "--allow-empty"]) == 0
    assert asked(here) == []
    assert not Path(".runner").exists()


def test_after_the_first_that_did_not_pass_no_other_begins_and_they_are_reported(
    here: Site, answers: Answers, capsys: Capture
) -> None:
    answers.wrong = ("Usra",)
    assert ended(["run", ".", "-x", "--report-json", "r.json", "--report-junit", "r.xml", "--report-md", "r.md"]) == 1
    assert asked(here) == ["a&Which="]
    for report in ("r.json", "r.xml", "r.md"):
        assert "the command ended before these runs began: b@here, c@here" in Path(report).read_text(), report
    printed = capsys.readouterr()
    assert "not begun: b@here, c@here" in printed.err
    (run,) = (path.name for path in Path(".runner/runs").iterdir())
    does = "carries out once more, as it was, what did not pass, and begins what the command did not begin; nothing"
    assert f"    runner rerun {run} --failed\n      {does} starts twice" in printed.out


def test_the_first_of_many_runs_that_never_began_are_named_and_the_rest_is_counted(
    answers: Answers, capsys: Capture, here: Site
) -> None:
    answers.wrong = ("Usra",)
    cases = "cases: [" + ", ".join(f"{{name: n{number}, inputs: {{}}}}" for number in range(30)) + "]\n"
    Path("c.job.yaml").write_text(Path("c.job.yaml").read_text().replace("steps:", f"{cases}steps:"))
    assert ended(["run", ".", "-x"]) == 1
    assert "not begun: b@here, c[n0]@here, c[n1]@here, " in (err := capsys.readouterr().err)
    assert "c[n6]@here and 23 more\n" in err
    assert len(here.executes()) == 1


def test_fail_fast_has_nothing_to_say_where_all_pass(here: Site) -> None:
    assert ended(["run", ".", "--fail-fast"]) == 0
    assert len(asked(here)) == 3


def test_what_failed_at_a_target_of_the_command_line_goes_there_again_without_its_being_named(
    here: Site, answers: Answers, capsys: Capture
) -> None:
    answers.wrong = ("Usrb",)
    assert ended(["run", ".", "-t", "there"]) == 1
    answers.wrong = ()
    asked(here)
    capsys.readouterr()
    assert ended(["run", ".", "--last-failed"]) == 0
    assert asked(here) == ["b&Which="]
    assert "run b@there" in capsys.readouterr().out
    assert ended(["run", ".", "--last-failed"]) == 5


def test_what_failed_at_two_targets_goes_to_both_again(here: Site, answers: Answers) -> None:
    answers.wrong = ("Usrb",)
    assert ended(["run", ".", "-t", "there", "-t", "here"]) == 1
    asked(here)
    assert ended(["run", ".", "--last-failed"]) == 1
    assert asked(here) == ["b&Which=", "b&Which="]
    assert ended(["run", ".", "--last-failed", "-t", "here"]) == 1
    assert asked(here) == ["b&Which="]


def test_the_targets_at_which_something_failed_are_known_when_its_runs_are_deleted(
    here: Site, answers: Answers, capsys: Capture
) -> None:
    cases = "cases: [{name: red, inputs: {process: red}}, {name: blue, inputs: {process: blue}}]"
    Path("b.job.yaml").write_text(JOB.format(name="b", cases=cases))
    answers.wrong = ("blue",)
    assert ended(["run", ".", "-t", "there"]) == 1
    assert ended(["run", "b.job.yaml", "-k", "red"]) == 0
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert not list(Path(".runner/runs").iterdir())
    answers.wrong = ()
    asked(here)
    capsys.readouterr()
    assert ended(["run", ".", "--last-failed"]) == 0
    assert asked(here) == ["b&Which=blue"]
    assert "run b[blue]@there" in capsys.readouterr().out
    assert ended(["run", ".", "--last-failed"]) == 5


def test_a_target_at_which_something_failed_and_that_is_gone_is_a_warning(
    here: Site, answers: Answers, capsys: Capture
) -> None:
    answers.wrong = ("Usrb", "Usra")
    assert ended(["run", "b.job.yaml", "-t", "there"]) == 1
    assert ended(["run", "a.job.yaml"]) == 1
    Path("targets.yaml").write_text(targets(here.url))
    asked(here)
    capsys.readouterr()
    assert ended(["run", ".", "--last-failed"]) == 1
    assert asked(here) == ["a&Which="]
    assert capsys.readouterr().err.count("`b` did not pass at target `there`, which is not there any more") == 1
