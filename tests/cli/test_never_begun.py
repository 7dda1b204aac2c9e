"""A command that was killed before it began all of its runs: what it never began is named, counts, and is carried out.

Killed is a command here by what a kill leaves: the runs after its second are not there, and the history knows none.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from captured import Capture
from msgspec.structs import replace
from sites import Answer, Executes, Site, site, targets, xml

from runner.cli.main import ended
from runner.execution.planned_runs import PlannedRun, commands, never_begun
from runner.foundation import private_files
from runner.runs.files.store import FileRunStore
from runner.runs.store import Part
from runner.runs.stored_runs import load

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: here
inputs: {{who: {{type: string}}, {more}}}
defaults: {{verify: none}}
cases: [{{name: red, inputs: {{who: Red}}}}, {{name: blue, inputs: {{who: Blue}}}}]
steps:
  - {{id: charge, execute: {{process: UsrCharge, parameters: {{Who: "{name}-{{{{ inputs.who }}}}"}}, result: Out}}}}
"""
RUNS = Path(".runner/runs")
PLANNED = PlannedRun(file="a.job.yaml", job="a", case=None, target="here")


@pytest.fixture
def answers() -> Executes:
    return Executes(key=lambda path: path.partition("Who=")[2])


@pytest.fixture(autouse=True)
def here(answers: Executes) -> Iterator[Site]:
    with site(answers) as served:
        Path("targets.yaml").write_text(targets(served.url))
        write("a")
        write("b")
        Path("token.txt").write_text("a-long-token")
        yield served


def write(name: str, more: str = "") -> None:
    Path(f"{name}.job.yaml").write_text(JOB.format(name=name, more=more))


def killed(*, left: int = 2, broke_off: bool = True) -> list[str]:
    """The ids of the runs that are left; the last of them has not ended."""
    runs = sorted(RUNS.iterdir())
    for run in runs[left:]:
        shutil.rmtree(run)
    Path(".runner/history.jsonl").unlink()
    if broke_off:
        journal = runs[left - 1] / "events.jsonl"
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
        (runs[left - 1] / "report.json").unlink()
    return [run.name for run in runs[:left]]


def test_what_a_killed_command_never_began_is_carried_out_also_where_none_failed(
    answers: Executes, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    killed(broke_off=False)
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 0
    assert answers.asked == ["b-Red", "b-Blue"]
    printed = capsys.readouterr()
    assert "2 runs of that command never began; carried out now, with the inputs of then\n" in printed.err
    assert "2 runs: 2 passed" in printed.out
    assert ended(["rerun", "last", "--failed"]) == 5
    assert len(answers.asked) == 2


def test_a_command_that_was_killed_before_the_first_event_of_its_first_run_is_carried_out(
    answers: Executes, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    (first,) = killed(left=1, broke_off=False)
    (RUNS / first / "events.jsonl").write_bytes(b"")
    (RUNS / first / "report.json").unlink()
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["runs"]) == 0
    shown = capsys.readouterr().out
    assert "what a[red]@here needs next:\n" in shown
    assert "      carries out 2 runs of the same command that never began: a[red]@here, a[blue]@here; " in shown
    assert ended(["rerun", first, "--failed"]) == 0
    assert answers.asked == ["a-Red", "a-Blue"]
    capsys.readouterr()
    assert ended(["runs"]) == 0
    assert "needs next" not in capsys.readouterr().out


def test_what_never_began_is_named_with_the_targets_file_of_its_command(answers: Executes, capsys: Capture) -> None:
    Path("targets.yaml").rename("the targets.yaml")
    assert ended(["run", "a.job.yaml", "--targets", "the targets.yaml", "-i", "who=Eve"]) == 0
    (first,) = killed(left=1, broke_off=False)
    (RUNS / first / "events.jsonl").write_bytes(b"")
    (RUNS / first / "report.json").unlink()
    capsys.readouterr()
    assert ended(["show", "last"]) == 0
    command = f"runner rerun {first} --failed --targets 'the targets.yaml'"
    assert f"{command}\n" in capsys.readouterr().out
    assert ended(shlex.split(command)[1:]) == 0
    assert len(answers.asked) == 4
    assert [*commands([replace(PLANNED, targets_file="t.yaml")])] == ["runner run a.job.yaml -t here --targets t.yaml"]


def test_of_runs_without_events_the_first_which_knows_the_command_is_named(answers: Executes, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    first, second = killed(broke_off=False)
    for run in (first, second):
        (RUNS / run / "events.jsonl").write_bytes(b"")
        (RUNS / run / "report.json").unlink()
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["runs"]) == 0
    shown = capsys.readouterr().out
    assert f"runner rerun {first} --failed\n      carries out 4 runs of the same command" in shown
    assert f"runner rerun {second}" not in shown
    assert ended(["rerun", first, "--failed"]) == 0
    assert len(answers.asked) == 4


def test_no_run_from_before_the_command_is_asked_what_it_was_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 0
    asked: list[str] = []
    get = FileRunStore.get

    def noted(store: FileRunStore, run: str, part: Part) -> bytes:
        asked.extend([run] if part is Part.PLANNED else [])
        return get(store, run, part)

    monkeypatch.setattr(FileRunStore, "get", noted)
    assert ended(["show", "last"]) == 0
    assert set(asked) == {max(run.name for run in RUNS.iterdir())}


def test_what_another_command_was_to_begin_that_began_in_between_is_not_taken() -> None:
    """The second run of the first command has an id after that of the first run of the second command."""
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    write("c")
    assert ended(["run", "c.job.yaml"]) == 0
    runs = sorted(RUNS.iterdir())
    for never_begun_run in (*runs[2:4], runs[5]):
        shutil.rmtree(never_begun_run)
    Path(".runner/history.jsonl").unlink()
    second = f"{runs[4].name}0"
    runs[1].rename(RUNS / second)
    store = FileRunStore(RUNS)
    assert [each.key for each in never_begun(load(store, second))] == [("b", "red", "here"), ("b", "blue", "here")]
    assert [each.key for each in never_begun(load(store, runs[4].name))] == [("c", "blue", "here")]


def test_it_is_carried_out_with_the_inputs_of_the_command_and_new_secrets(answers: Executes, capsys: Capture) -> None:
    write("b", more="token: {type: string, secret: true}")
    given = ["-i", "who=Eve", "-i", "token=@token.txt"]
    assert ended(["run", "a.job.yaml", "b.job.yaml", *given]) == 0
    killed(broke_off=False)
    answers.asked.clear()
    assert "a-long-token" not in "".join(path.read_text() for path in RUNS.glob("*/planned.json"))
    capsys.readouterr()
    assert ended(["runs"]) == 0
    assert " --failed -i token=@FILE\n" in capsys.readouterr().out
    assert ended(["rerun", "last", "--failed"]) == 2
    assert ended(["rerun", "last", "--failed", "-i", "token=@token.txt"]) == 0
    assert answers.asked == ["b-Eve", "b-Eve"]


def test_inputs_that_hold_a_secret_are_not_stored_and_the_command_is_named_instead(
    answers: Executes, capsys: Capture
) -> None:
    write("b", more="token: {type: string, secret: true}")
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-i", "who=see-a-long-token", "-i", "token=@token.txt"]) == 0
    killed(broke_off=False)
    answers.asked.clear()
    assert "a-long-token" not in "".join(path.read_text() for path in RUNS.glob("*/planned.json"))
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 5
    assert answers.asked == []
    command = "runner run b.job.yaml -t here -k 'b[red]' -k 'b[blue]' -i who=@FILE -i token=@FILE"
    assert f"  {command}\n" in capsys.readouterr().err


def test_runs_show_and_resume_name_what_the_command_never_began(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    _, last = killed()
    command = f"runner rerun {last} --failed"
    does = (
        "carries out 2 runs of the same command that never began: b[red]@here, b[blue]@here; "
        "and once more its runs that did not pass, if any, with their steps that must happen only once"
    )
    capsys.readouterr()
    for verb in (["runs"], ["runs", "-n", "1"], ["show", "last"]):
        assert ended(verb) in (0, 3)
        printed = capsys.readouterr().out
        assert command in printed, verb
        assert printed.count(f"when run {last} has ended: {does}") == 1, verb
        assert printed.index(f"runner resume {last}") < printed.index(command), verb
    assert ended(["runs", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["next"][-1] == command
    for _ in range(2):
        assert ended(["resume", "last"]) == 0
        assert capsys.readouterr().err.splitlines()[-1] == f"`{command}` {does}"
    assert ended(["rerun", last, "--failed"]) == 0
    capsys.readouterr()
    assert ended(["runs"]) == 0
    assert "never began" not in capsys.readouterr().out


def test_a_report_of_all_runs_is_not_green_where_some_never_began(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    killed(broke_off=False)
    capsys.readouterr()
    assert ended(["report", "last", "--together", "--report-junit", "j.xml", "--report-json", "j.json"]) == 3
    assert "b[red]@here, b[blue]@here" in Path("j.xml").read_text()
    assert "<error" in Path("j.xml").read_text()
    assert json.loads(Path("j.json").read_text())["status"] == "error"
    assert "error[E312]: the command ended before these runs began: b[red]@here" in capsys.readouterr().err
    assert ended(["report", "last", "--report-junit", "j.xml"]) == 0
    assert ended(["rerun", "last", "--failed"]) == 0
    assert ended(["report", "last", "--together", "--report-junit", "j.xml"]) == 0


def test_last_failed_takes_what_never_began(answers: Executes) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    killed(left=3, broke_off=False)
    answers.asked.clear()
    assert ended(["run", ".", "--last-failed"]) == 0
    assert answers.asked == ["b-Blue"]
    assert ended(["run", ".", "--last-failed"]) == 5


def test_a_run_that_was_deleted_has_begun_as_its_history_knows(answers: Executes) -> None:
    answers.given = {"a-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    for run in sorted(RUNS.iterdir())[1:]:
        shutil.rmtree(run)
    answers.asked.clear()
    assert ended(["rerun", "last", "--failed"]) == 5
    assert ended(["run", ".", "--last-failed"]) == 5
    assert answers.asked == []


def test_while_a_command_is_under_way_nothing_of_it_begins_by_another(answers: Executes, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    first, _ = killed(broke_off=False)
    answers.asked.clear()
    file = private_files.open_taken(RUNS / first / "planned.json")
    assert file is not None
    with os.fdopen(file, "rb"):
        capsys.readouterr()
        assert ended(["rerun", "last", "--failed"]) == 5
        assert ended(["runs"]) == 0
        assert "never began" not in capsys.readouterr().out
    assert answers.asked == []
    assert ended(["rerun", "last", "--failed"]) == 0


def test_what_the_files_do_not_hold_any_more_is_named_and_nothing_begins(answers: Executes, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    killed(broke_off=False)
    answers.asked.clear()
    Path("b.job.yaml").write_text(Path("b.job.yaml").read_text().replace("name: blue", "name: green"))
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 2
    assert answers.asked == []
    assert "its files do not hold any more what was to begin: b[blue]@here" in capsys.readouterr().err


def test_a_run_whose_first_event_was_damaged_has_begun_as_its_plan_knows(answers: Executes) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    last = killed(left=3, broke_off=False)[-1]
    journal = RUNS / last / "events.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"{", b"[", 1))
    answers.asked.clear()
    assert ended(["run", ".", "--last-failed"]) == 0
    assert answers.asked == ["b-Blue"]


def test_resume_names_the_other_runs_of_its_command_that_did_not_end(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-j", "2"]) == 0
    other, last = killed(left=2)
    journal = RUNS / other / "events.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    (RUNS / other / "report.json").unlink()
    capsys.readouterr()
    assert ended(["resume", "last"]) == 0
    said = f" of the same command has not ended: `runner resume {other}` "
    assert said in capsys.readouterr().err
    assert ended(["resume", other]) == 0
    assert "has not ended" not in capsys.readouterr().err
    assert last != other


def broken_off(*, of: int) -> list[str]:
    """The ids of so many runs, none of which came to its end."""
    runs = killed(left=of, broke_off=False)
    for run in runs:
        journal = RUNS / run / "events.jsonl"
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
        (RUNS / run / "report.json").unlink()
    return runs


def test_all_runs_of_a_killed_command_are_resumed_together(answers: Executes, capsys: Capture) -> None:
    write("b", more="token: {type: string, secret: true}")
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-j", "4", "-i", "token=@token.txt"]) == 0
    runs = broken_off(of=4)
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["resume", runs[0]]) == 0
    said = capsys.readouterr().err
    assert (
        f"`runner resume {runs[-1]} --together --hold` goes on with the 3 runs of the same command that broke off"
        in said
    )
    assert ended(["rerun", "last", "--failed", "-i", "token=@token.txt"]) == 6
    said = capsys.readouterr().err
    assert said.count("E181") == 1
    assert "3 runs of this command are not settled: they have not come to their end\n" in said
    assert f"settle them first: `runner resume {runs[-1]} --together` goes on with all of them\n" in said
    assert ended(["resume", "last", "--together"]) == 2
    assert "input `token` is required" in capsys.readouterr().err
    given = ["-j", "4", "-i", "token=@token.txt", "--report-junit", "junit.xml"]
    assert ended(["resume", "last", "--together", *given]) == 0
    assert "3 runs: 3 passed" in capsys.readouterr().out
    assert Path("junit.xml").read_text().count("<testsuite ") == 4
    assert answers.asked == []
    assert ended(["resume", "last", "--together"]) == 0
    assert "no run of the same command has broken off; nothing is left to do" in capsys.readouterr().err


def test_a_run_that_another_command_has_just_made_gets_no_report_from_who_looks_at_it(
    answers: Executes, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    folder = max(Path(".runner/runs").iterdir())
    events = (folder / "events.jsonl").read_bytes()
    for written in (folder / "report.json", folder / "junit.xml", *Path(".runner").rglob("*history*")):
        written.unlink()
    (folder / "events.jsonl").write_bytes(b"")
    log = FileRunStore(folder.parent).reopen(folder.name)
    assert ended(["resume", "last", "--together"]) == 3
    log.close()
    (folder / "events.jsonl").write_bytes(events)
    assert ended(["show", "last"]) == 0
    assert "E155" not in capsys.readouterr().err
    assert answers.asked


def test_what_had_failed_before_the_kill_is_not_made_green_by_what_is_resumed(
    answers: Executes, capsys: Capture
) -> None:
    answers.given = {"a-Red": Answer(status=500, body="<Fault><Text>no</Text></Fault>")}
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 1
    killed(left=4)
    capsys.readouterr()
    assert ended(["resume", "last", "--together", "--report-junit", "junit.xml"]) == 1
    printed = capsys.readouterr()
    of_all = Path("junit.xml").read_text()
    assert of_all.count("<failure ") == 1
    assert "passed: b[blue]@here" in printed.out
    assert "exit 1 is of the whole command: " in printed.err
    assert ended(["resume", "last"]) == 0
    assert ended(["resume", "last", "--together", "--report-junit", "again.xml"]) == 1
    assert Path("again.xml").read_text() == of_all


def test_what_never_began_is_not_made_green_by_what_is_resumed(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 0
    killed(left=2)
    capsys.readouterr()
    assert ended(["resume", "last", "--together", "--report-junit", "junit.xml", "--report-md", "a.md"]) == 3
    assert "the command ended before these runs began" in Path("junit.xml").read_text()
    assert "exit 3" in Path("a.md").read_text()
    assert (
        "exit 3 is of the whole command: not everything was carried out, or could be stored" in capsys.readouterr().err
    )


def test_a_verdict_is_about_one_run(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    broken_off(of=2)
    capsys.readouterr()
    assert ended(["resume", "last", "--together", "--step", "charge", "--as", "passed"]) == 2
    assert "`--step` is about one run, and `--together` goes on with several" in capsys.readouterr().err


def test_what_a_killed_plan_never_began_is_named_and_begun_as_it_was_planned(
    answers: Executes, capsys: Capture
) -> None:
    write("b", more="token: {type: string, secret: true}")
    assert ended(["plan", "a.job.yaml", "b.job.yaml", "--out", "p.json"]) == 0
    secret = ["-i", "token=@token.txt"]
    assert ended(["run", "p.json", *secret]) == 0
    (_, last) = killed(broke_off=False)
    answers.asked.clear()
    capsys.readouterr()
    command = f"runner rerun {last} --failed -i token=@FILE"
    for verb in (["runs"], ["show", last]):
        assert ended(verb) == 0
        assert f"  {command}\n" in capsys.readouterr().out
    assert ended(["report", "last", "--together", "--report-junit", "junit.xml"]) == 3
    assert "E312" in Path("junit.xml").read_text()
    assert ended(["run", "p.json", *secret]) == 6
    assert "2 runs of it never began: `runner show " in capsys.readouterr().err
    Path("b.job.yaml").unlink()
    assert ended(["rerun", last, "--failed", *secret, "-i", "who=Green"]) == 2
    assert "input `who` is fixed by the plan, with another value" in capsys.readouterr().err
    assert answers.asked == []
    assert ended(["rerun", last, "--failed", *secret]) == 0
    assert answers.asked == ["b-Red", "b-Blue"]
    assert "a-long-token" not in "".join(path.read_text() for path in RUNS.glob("*/planned.json"))
    assert ended(["rerun", last, "--failed"]) == 5
    capsys.readouterr()
    assert ended(["run", "p.json", *secret]) == 6
    assert "never began" not in capsys.readouterr().err


def test_a_plan_that_holds_a_secret_is_not_stored_once_more(capsys: Capture) -> None:
    write("b", more="token: {type: string, secret: true}")
    Path("b.job.yaml").write_text(Path("b.job.yaml").read_text().replace("Blue", "a-long-token"))
    assert ended(["plan", "b.job.yaml", "--out", "p.json"]) == 0
    assert ended(["run", "p.json", "-i", "token=@token.txt"]) == 0
    killed(left=1, broke_off=False)
    assert "a-long-token" not in "".join(path.read_text() for path in RUNS.glob("*/planned.json"))
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 5
    assert (
        "1 run of that command never began; with its inputs and options, this carries them out"
        in capsys.readouterr().err
    )
