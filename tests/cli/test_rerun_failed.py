"""`runner rerun --failed`: of one command the runs that did not pass, shown by what a site was asked for."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from captured import Capture
from running import carried_out
from sites import Answer, Executes, Site, site, targets, xml

from runner.cli.main import ended
from runner.runs.files.store import FileRunStore
from runner.runs.stored_runs import reruns_of

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: here
inputs: {{who: {{type: string, default: Ann}}}}
defaults: {{verify: none}}
cases: [{{name: red, inputs: {{who: Red}}}}, {{name: blue, inputs: {{who: Blue}}}}]
steps:
  - {{id: charge, execute: {{process: UsrCharge, parameters: {{Who: "{name}-{{{{ inputs.who }}}}"}}, result: Out}}}}
  - {{id: look, if: "steps.charge.result == 1", execute: {{process: UsrNever}}}}
  - {{id: check, pause: 1ms, expect: [steps.charge.result == 7]}}
"""


@pytest.fixture
def answers() -> Executes:
    return Executes(key=lambda path: path.partition("Who=")[2])


@pytest.fixture(autouse=True)
def here(answers: Executes) -> Iterator[Site]:
    with site(answers) as served:
        both = targets(served.url)
        Path("targets.yaml").write_text(both + both.partition("targets:\n")[2].replace("here:", "there:"))
        for name in ("a", "b"):
            Path(f"{name}.job.yaml").write_text(JOB.format(name=name))
        yield served


def commands() -> list[str]:
    """The ids of the commands of the runs, the oldest run first."""
    events = sorted(Path(".runner/runs").glob("*/events.jsonl"))
    return [json.loads(path.read_text().splitlines()[0])["command"] for path in events]


def test_the_jobs_cases_and_targets_that_did_not_pass_start_again_and_no_other(
    answers: Executes, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 0
    answers.given = {"a-Blue": xml(1), "b-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-t", "here", "-t", "there"]) == 1
    answers.given.clear()
    answers.asked.clear()
    next_step, does = capsys.readouterr().out.splitlines()[-2:]
    assert next_step.startswith("    runner rerun ")
    assert next_step.endswith(" --failed")
    assert does.endswith("what did not pass; careful, it starts 8 steps again that must happen only once")
    assert ended(["rerun", "last", "--failed", "-j", "2", "--report-json", "again.json"]) == 0
    assert sorted(answers.asked) == ["a-Blue", "a-Blue", "b-Red", "b-Red"]
    printed = capsys.readouterr()
    for title in ("a[blue]@here", "a[blue]@there", "b[red]@here", "b[red]@there"):
        assert f"{title}: `once` steps that start again: charge, look\n" in printed.err
    assert "4 runs: 4 passed" in printed.out
    assert len(json.loads(Path("again.json").read_text())["runs"]) == 4
    assert len(set(commands()[-4:])) == 1
    assert len(set(commands())) == 3


def test_what_has_passed_since_with_the_same_inputs_does_not_start_again(answers: Executes, capsys: Capture) -> None:
    answers.given = {"a-Red": xml(1), "a-Blue": xml(1)}
    assert ended(["run", "a.job.yaml"]) == 1
    first = min(Path(".runner/runs").iterdir()).name
    answers.given = {"a-Blue": xml(1)}
    assert ended(["rerun", first, "--failed"]) == 1
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", first, "--failed"]) == 6
    assert answers.asked == [], "the rerun has charged Blue"
    said = capsys.readouterr().err
    assert "left out: a[red]@here, which has passed since with the same inputs, in run " in said
    again = max(Path(".runner/runs").iterdir()).name
    assert f"is carried out once more by run {again}, which ended as `failed`, after charge, look had passed" in said
    assert f"hint: nothing was sent; `runner rerun {again} --failed` carries it out yet again" in said
    assert ended(["rerun", again, "--failed"]) == 1
    assert answers.asked.count("a-Blue") == 1
    assert "a-Red" not in answers.asked


def test_where_all_have_passed_nothing_starts_and_the_reports_say_why(answers: Executes, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    answers.asked.clear()
    assert ended(["rerun", "last", "--failed", "--report-junit", "junit.xml"]) == 5
    assert answers.asked == []
    assert "error[E180]: no run of the command that began" in capsys.readouterr().err
    assert "so nothing ran" in Path("junit.xml").read_text()


def test_one_run_in_doubt_keeps_all_of_them_from_starting_again_and_each_is_named(
    answers: Executes, capsys: Capture
) -> None:
    answers.given = {"a-Red": Answer(silent=True), "a-Blue": xml(1), "b-Red": Answer(silent=True)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "--report-md", "a.md"]) == 4
    alone = "a[blue]@here: when you have mended the file, this carries it out as it is now"
    assert f"      {alone}" in capsys.readouterr().out
    assert f"```sh\n# {alone}" in Path("a.md").read_text()
    answers.asked.clear()
    assert ended(["rerun", "last", "--failed"]) == 6
    printed = capsys.readouterr().err
    assert answers.asked == []
    assert printed.count("error[E181]") == 2
    assert printed.count("settle it first: `runner resume ") == 2


def test_report_takes_all_runs_of_a_command_into_one_of_each_format(answers: Executes) -> None:
    assert ended(["run", "b.job.yaml"]) == 0
    answers.given = {"a-Blue": xml(1)}
    assert ended(["run", "a.job.yaml", "-t", "here", "-t", "there"]) == 1
    runs = sorted(path.name for path in Path(".runner/runs").iterdir())
    files = {"json": "r.json", "junit": "r.xml", "html": "r.html", "md": "r.md", "otlp": "r.otlp", "jsonl": "r.jsonl"}
    wanted = [word for name, file in files.items() for word in (f"--report-{name}", file)]
    assert ended(["report", "last", runs[-2], "--together", *wanted]) == 1
    reported = [run["id"] for run in json.loads(Path("r.json").read_text())["runs"]]
    assert reported == runs[2:]
    assert Path("r.otlp").read_text().count("resourceSpans") == 4
    for file in files.values():
        text = Path(file).read_text()
        assert all(run in text for run in runs[2:]) or file == "r.xml"
        assert not any(run in text for run in runs[:2])
    assert ended(["report", runs[0], "--report-json", "alone.json"]) == 0
    assert len(json.loads(Path("alone.json").read_text())["runs"]) == 1


def test_a_report_of_a_run_that_failed_says_whose_its_exit_code_is(answers: Executes, capsys: Capture) -> None:
    answers.given = {"a-Blue": xml(1)}
    assert ended(["run", "a.job.yaml"]) == 1
    capsys.readouterr()
    assert ended(["report", "last", "--report-json", "alone.json"]) == 1
    said = "the reports are written; exit 1\n"
    assert capsys.readouterr().err == said


def test_what_the_command_never_began_is_carried_out_too_at_each_target(answers: Executes, capsys: Capture) -> None:
    answers.given = {"a-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-t", "here", "-t", "there", "-x"]) == 1
    (first,) = (path.name for path in Path(".runner/runs").iterdir())
    answers.given.clear()
    for command in ("a.job.yaml -t here -k a[blue]", "b.job.yaml -t there -k red"):
        assert ended(["run", *command.split()]) == 0
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", first, "--failed"]) == 0
    assert "5 runs of that command never began; carried out now, with the inputs of then\n" in capsys.readouterr().err
    assert answers.asked == ["a-Red", "a-Red", "a-Blue", "b-Red", "b-Blue", "b-Blue"]
    assert ended(["rerun", first, "--failed"]) == 5


def test_what_was_planned_without_its_inputs_is_counted_and_named_with_the_commands_that_carry_it_out(
    answers: Executes, capsys: Capture
) -> None:
    answers.given = {"a-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-t", "here", "-t", "there", "-x"]) == 1
    (file,) = Path(".runner/runs").glob("*/planned.json")
    planned = json.loads(file.read_text())
    file.write_text(json.dumps([{name: run[name] for name in run if name != "inputs"} for run in planned]))
    answers.given.clear()
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 0
    lines = capsys.readouterr().err.splitlines()
    start = lines.index("7 runs of that command never began; with its inputs and options, this carries them out:")
    assert sorted(lines[start + 1 : start + 5]) == [
        "  runner run a.job.yaml -t here -k 'a[blue]'",
        "  runner run a.job.yaml -t there -k 'a[red]' -k 'a[blue]'",
        "  runner run b.job.yaml -t here -k 'b[red]' -k 'b[blue]'",
        "  runner run b.job.yaml -t there -k 'b[red]' -k 'b[blue]'",
    ]


def test_what_an_interrupted_rerun_never_began_is_taken_in_by_the_next(answers: Executes, capsys: Capture) -> None:
    answers.given = {who: xml(1) for who in ("a-Red", "a-Blue", "b-Red", "b-Blue")}
    assert ended(["run", "a.job.yaml", "b.job.yaml"]) == 1
    origins = sorted(path.name for path in Path(".runner/runs").iterdir())
    answers.given = {"a-Red": xml(1)}
    assert ended(["rerun", "last", "--failed", "-x"]) == 1
    assert ended(["rerun", origins[-1]]) == 0, "b[blue] was carried out by itself meanwhile"
    answers.given.clear()
    answers.asked.clear()
    capsys.readouterr()
    interrupted = sorted(path.name for path in Path(".runner/runs").iterdir())[-2]
    assert ended(["rerun", interrupted, "--failed"]) == 0
    assert answers.asked == ["a-Red", "a-Blue", "b-Red"]
    assert "never began" not in capsys.readouterr().err


def test_what_an_interrupted_rerun_never_began_is_named_where_the_run_to_repeat_is_deleted(
    answers: Executes, capsys: Capture
) -> None:
    answers.given = {"a-Red": xml(1), "a-Blue": xml(1)}
    assert ended(["run", "a.job.yaml"]) == 1
    origins = sorted(Path(".runner/runs").iterdir())
    assert ended(["rerun", "last", "--failed", "-x"]) == 1
    shutil.rmtree(origins[1])
    answers.given.clear()
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 0
    printed = capsys.readouterr().err
    assert "1 run of that command never began; with its inputs and options" in printed
    assert "  runner run a.job.yaml -t here -k 'a[blue]'\n" in printed


@pytest.fixture
def token() -> str:
    """The job `b` has a secret input, which `a` does not have."""
    declared = "inputs: {token: {type: string, secret: true}, who:"
    Path("b.job.yaml").write_text(JOB.format(name="b").replace("inputs: {who:", declared, 1))
    Path("token.txt").write_text("a-long-token")
    return "token=@token.txt"


def test_a_secret_of_one_job_is_given_where_another_job_does_not_know_it(
    answers: Executes, capsys: Capture, token: str
) -> None:
    answers.given = {"a-Red": xml(1), "b-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-i", token]) == 1
    answers.given.clear()
    answers.asked.clear()
    assert capsys.readouterr().out.splitlines()[-2].endswith(" --failed -i token=@FILE")
    assert ended(["rerun", "last", "--failed", "-i", "tokem=@token.txt", "-i", token]) == 2
    said = "error[E131]: no selected job knows an input `tokem`\n   = hint: did you mean `token`?\n"
    assert capsys.readouterr().err == said
    assert ended(["rerun", "last", "--failed", "-i", token]) == 0
    assert answers.asked == ["a-Red", "b-Red"]


def test_what_has_passed_since_with_another_secret_has_not_passed_with_that_which_is_given(
    answers: Executes, capsys: Capture, token: str
) -> None:
    Path("other.txt").write_text("an0ther-secret")
    answers.given = {"b-Red": xml(1)}
    assert ended(["run", "b.job.yaml", "-i", token]) == 1
    first = min(Path(".runner/runs").iterdir()).name
    answers.given.clear()
    assert ended(["run", "b.job.yaml", "-k", "red", "-i", "token=@other.txt"]) == 0
    answers.asked.clear()
    assert ended(["rerun", first, "--failed"]) == 5
    assert (
        "which has passed since with the same inputs, as far as they are not secret, in run " in capsys.readouterr().err
    )
    assert ended(["rerun", first, "--failed", "-i", "token=@other.txt"]) == 5
    assert "which has passed since with the same inputs, in run " in capsys.readouterr().err
    assert answers.asked == []
    assert ended(["rerun", first, "--failed", "-i", token]) == 0
    assert answers.asked == ["b-Red"]
    assert ended(["run", "b.job.yaml", "-k", "red", "-i", "token=@other.txt"]) == 0
    assert ended(["rerun", first, "--failed", "-i", token]) == 5


def test_a_command_for_what_is_not_taken_in_names_the_inputs_that_are_not_stored(
    answers: Executes, capsys: Capture, token: str
) -> None:
    answers.given = {"a-Eve-a-long-token": xml(1)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-x", "-i", token, "-i", "who=Eve-a-long-token"]) == 1
    capsys.readouterr()
    assert ended(["rerun", "last", "--failed"]) == 1
    assert "  runner run b.job.yaml -t here -k 'b[red]' -k 'b[blue]' -i who=@FILE -i token=@FILE\n" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("option", [[], ["-x"]])  # after `-x` what never began is at the other target, too
def test_after_values_that_were_refused_the_files_are_to_be_mended_before_anything_runs_again(
    answers: Executes, capsys: Capture, option: list[str]
) -> None:
    refused = JOB.format(name="a").replace("Who:", 'When: "{{ inputs.who | int }}", Who:')
    Path("a.job.yaml").write_text(refused)
    assert ended(["run", "a.job.yaml", "-t", "here", "-t", "there", *option]) != 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("  what next:")
    assert lines[at + 1] == "    runner run a.job.yaml -t here -t there --last-failed"
    what = "what did not pass and what never began" if option else "what did not pass"
    assert lines[at + 2].startswith(f"      when you have mended the file, this carries out {what}, as it is written")
    assert lines[at + 3].startswith("    runner rerun ")
    Path("a.job.yaml").write_text(JOB.format(name="a"))
    answers.asked.clear()
    assert ended(lines[at + 1].split()[1:]) == 0
    assert answers.asked == ["a-Red", "a-Red", "a-Blue", "a-Blue"]


def test_what_the_command_for_mended_files_starts_again_is_counted_of_all_that_it_carries_out(
    answers: Executes, capsys: Capture, here: Site
) -> None:
    down = here.url.rpartition(":")[0] + ":9"
    written = Path("targets.yaml").read_text()
    Path("targets.yaml").write_text(written + targets(down).partition("targets:\n")[2].replace("here:", "down:"))
    failing = "  - {id: check, pause: 1ms, expect: [steps.charge.result == 7]}\n"
    Path("a.job.yaml").write_text(
        JOB.format(name="a").replace(failing, "  - {effect: read, execute: {process: UsrFail}}\n")
    )
    answers.given = {"": Answer(status=503)}
    assert ended(["run", "a.job.yaml", "-t", "here", "-t", "down"]) != 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("    runner run a.job.yaml -t here -t down --last-failed")
    assert lines[at + 1].endswith("careful, it starts 2 steps again that must happen only once")


def test_the_command_for_mended_files_names_the_files_of_all_that_did_not_pass(
    answers: Executes, capsys: Capture
) -> None:
    failing = "  - {id: check, pause: 1ms, expect: [steps.charge.result == 7]}\n"
    Path("b.job.yaml").write_text(
        JOB.format(name="b").replace(failing, "  - {effect: read, execute: {process: UsrFail}}\n")
    )
    answers.given = {"a-Red": xml(2), "": Answer(status=503)}
    assert ended(["run", "a.job.yaml", "b.job.yaml", "-t", "here"]) != 0
    assert "    runner run a.job.yaml b.job.yaml -t here --last-failed" in capsys.readouterr().out.splitlines()


@dataclass
class Meanwhile(Executes):
    """While the first call is answered, each of `commands` is given in another process; `ends` are their ends."""

    commands: tuple[list[str], ...] = ()
    ends: list["subprocess.CompletedProcess[str]"] = field(default_factory=list)

    def __call__(self, method: str, path: str) -> Answer:
        found = super().__call__(method, path)
        given, self.commands = (self.commands, ()) if self.asked else ((), self.commands)
        self.ends += [carried_out(*words) for words in given]
        return found


def stored() -> list[str]:
    return sorted(path.name for path in Path(".runner/runs").iterdir())


def test_only_one_of_two_commands_at_once_carries_a_run_out_once_more(here: Site, answers: Executes) -> None:
    answers.given = {"a-Red": xml(1), "a-Blue": xml(1)}
    assert ended(["run", "a.job.yaml"]) == 1
    red, blue = stored()
    here.answer = both = Meanwhile(key=answers.key)
    both.commands = (["rerun", red, "--failed"], ["rerun", blue, "--failed"], ["rerun", blue], ["rerun", red])
    both.commands += (["run", "a.job.yaml", "--last-failed"],)

    assert ended(["rerun", "last", "--failed"]) == 0
    assert both.asked == ["a-Red", "a-Blue"]
    assert [end.returncode for end in both.ends] == [6, 6, 6, 6, 6]
    one, _, other, under_way, failed = (end.stderr for end in both.ends)
    assert f"error[E181]: run {red} is carried out once more by run {stored()[2]}, which is under way\n" in one
    assert f"error[E181]: run {blue} is being carried out once more by another command (process " in other
    assert "hint: nothing was sent; wait until that has ended; it was started as: runner" in other
    assert "which is under way" in under_way
    assert f"error[E181]: run {stored()[2]} of a[red]@here is under way\n" in failed
    assert f"hint: nothing was sent; `runner show {stored()[2]}` shows how far it is\n" in failed


def test_only_one_of_two_commands_at_once_begins_what_a_command_never_began(here: Site, answers: Executes) -> None:
    answers.given = {"a-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "-x"]) == 1
    (red,) = stored()
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    answers.given.clear()
    assert ended(["rerun", red]) == 0
    here.answer = both = Meanwhile(key=answers.key)
    both.commands = (["rerun", red, "--failed"],)

    assert ended(["rerun", red, "--failed"]) == 0
    assert both.asked == ["a-Blue"]
    (end,) = both.ends
    assert end.returncode == 6
    assert (
        f"what did not pass of the command of run {red} is being carried out once more by another command" in end.stderr
    )
    assert ended(["rerun", red, "--failed"]) == 5


def test_a_run_is_not_carried_out_once_more_while_a_rerun_of_it_is_not_settled(
    answers: Executes, capsys: Capture
) -> None:
    answers.given = {"a-Red": xml(1)}
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    (red,) = stored()
    answers.given = {"a-Red": Answer(silent=True)}
    assert ended(["rerun", "last"]) == 4
    again = stored()[1]
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", red]) == 6
    assert ended(["rerun", red, "--failed"]) == 6
    assert answers.asked == []
    why = f"error[E181]: run {red} is carried out once more by run {again}, which is not settled: in doubt: charge may"
    assert capsys.readouterr().err.count(why) == 2

    assert ended(["resume", again, "--step", "charge", "--as", "failed"]) == 1
    answers.given.clear()
    assert ended(["rerun", red]) == 0


@pytest.mark.parametrize("hold", [[], ["--hold"]])
def test_a_run_of_apply_is_not_carried_out_once_more_while_a_later_attempt_is_not_settled(
    answers: Executes, capsys: Capture, hold: list[str]
) -> None:
    Path("b.job.yaml").unlink()
    answers.given = {"a-Red": xml(1)}
    assert ended(["apply", "a.job.yaml", "-k", "red"]) == 1
    (red,) = stored()
    answers.given = {"a-Red": Answer(silent=True)}
    assert ended(["apply", "a.job.yaml", "-k", "red", "--retry", "failed", *hold]) == 4
    again = stored()[1]
    answers.given.clear()
    assert ended(["apply", "a.job.yaml", "-k", "blue"]) == 0
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", red]) == 6
    assert ended(["rerun", red, "--failed"]) == 6
    assert answers.asked == []
    why = f"error[E181]: run {red} is carried out once more by run {again}, which is not settled: "
    assert capsys.readouterr().err.count(why) == 2

    assert ended(["resume", again, "--step", "charge", "--as", "failed"]) == 1
    assert ended(["rerun", red]) == 0


def test_each_stored_run_is_read_once_to_find_the_reruns_of_many() -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    red, blue = stored()
    assert [ended(["rerun", run]) for run in (red, blue)] == [0, 0]
    of_red, of_blue = stored()[2:]
    assert ended(["rerun", of_red]) == 0
    last = stored()[4]
    read: list[str] = []

    class Counted(FileRunStore):
        def ends(self, run: str) -> list[bytes]:
            read.append(run)
            return super().ends(run)

    found = reruns_of(Counted(Path(".runner/runs")), [red, blue])
    assert list(found.items()) == [(of_red, red), (of_blue, blue), (last, red)]
    assert read == [red, blue, of_red, of_blue, last]


def test_jobs_of_one_name_in_two_folders_do_not_take_one_another_s_runs(answers: Executes) -> None:
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(f"{folder}/pay.job.yaml").write_text(JOB.format(name="pay"))
    assert ended(["run", "one"]) == 0
    answers.given = {"pay-Red": xml(2)}
    assert ended(["run", "two"]) == 1
    answers.asked.clear()
    assert ended(["run", "one", "--last-failed"]) == 5
    assert answers.asked == []
    assert ended(["run", "one"]) == 1
    answers.given = {}
    assert ended(["run", "two"]) == 0
    answers.asked.clear()
    assert ended(["run", "one", "--last-failed"]) == 0
    assert answers.asked == ["pay-Red"]


def test_a_job_that_was_moved_after_its_failure_is_the_same(answers: Executes) -> None:
    answers.given = {"a-Red": xml(2)}
    assert ended(["run", "a.job.yaml"]) == 1
    Path("a.job.yaml").rename("moved.job.yaml")
    answers.given = {}
    answers.asked.clear()
    assert ended(["run", "moved.job.yaml", "--last-failed"]) == 0
    assert answers.asked == ["a-Red"]
