"""`runner rerun`: a run once more, seen by what a site was asked for."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest
from captured import Capture
from sites import NOTHING, REFUSED, Answer, Site, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: billing
target: here
inputs: {token: {type: string, secret: true}, who: {type: string, default: Ann}}
defaults: {verify: none}
cases: [{name: red, inputs: {who: Red}}, {name: blue, inputs: {who: Blue}}]
steps:
  - {id: look, execute: {process: UsrLook}, effect: read}
  - {id: charge, execute: {process: UsrCharge, parameters: {Token: "{{ inputs.token }}", Who: "{{ inputs.who }}"}}}
"""

FROM_VARIABLE = "; secret input `token` is read from CREATIO_RUNNER_INPUT_TOKEN"
CAREFUL = "careful, it starts again what must happen only once:"
SAFE = "nothing starts twice that must happen only once"


@dataclass
class Answers:
    """Answers an execute by what `given` says of its process, else with 7; `asked` are the paths."""

    given: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, _method: str, path: str) -> Answer:
        if "/odata/Contact" in path:
            return self.given.get("Contact", NOTHING)
        if "/Execute" not in path:
            return NOTHING
        self.asked.append(path.partition(".svc/")[2])
        return self.given.get(path.split("/")[4], xml(7))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture(autouse=True)
def here(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "s3cret-t0ken")
    with site(answers) as served:
        Path("targets.yaml").write_text(targets(served.url))
        Path("a.job.yaml").write_text(JOB)
        yield served


def stored() -> dict[str, dict[str, object]]:
    """How each run began, by its id."""
    folders = sorted(Path(".runner/runs").iterdir())
    return {folder.name: json.loads((folder / "events.jsonl").read_text().splitlines()[0]) for folder in folders}


def test_a_run_is_carried_out_once_more_as_a_new_run_and_says_first_what_starts_again(
    answers: Answers, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml", "-k", "blue"]) == 0
    sent = list(answers.asked)
    Path("a.job.yaml").write_text(JOB.replace("UsrCharge", "UsrOther").replace("Blue", "Green"))
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", "last", "--report-json", "again.json"]) == 0
    assert answers.asked == sent
    first, second = stored().values()
    assert first["run"] != second["run"]
    assert [first[key] for key in ("job", "case", "inputs", "target", "digest")] == [
        second[key] for key in ("job", "case", "inputs", "target", "digest")
    ]
    said = capsys.readouterr().err
    assert re.match(
        rf"once more: billing\[blue\]@here of .{{19}} UTC, run {first['run']}, which ended as `passed`\n", said
    )
    assert "`once` steps that start again: charge\n" in said
    warning = "changed since then: a.job.yaml; this carries out the job as it was then; for the file of now: "
    assert f"{warning}`runner run a.job.yaml -t here -k 'billing[blue]'`, with its inputs\n" in said
    assert "goes on" not in said
    assert json.loads(Path("again.json").read_text())["runs"][0]["id"] == second["run"]


def test_every_list_and_report_of_a_rerun_names_the_run_that_it_repeats(capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "-k", "blue"]) == 0
    assert ended(["rerun", "last", *("--report-json", "r.json", "--report-html", "r.html", "--report-md", "r.md")]) == 0
    first, second = stored()
    (reported,) = json.loads(Path("r.json").read_text())["runs"]
    assert reported["rerun_of"] == first
    assert f"<dt>repeats the run</dt><dd><code>{first}</code></dd>" in Path("r.html").read_text()
    assert f"  repeats {first}\n" in Path("r.md").read_text()
    capsys.readouterr()
    assert ended(["runs"]) == 0
    newest, oldest = capsys.readouterr().out.splitlines()[1:3]
    assert second in newest
    assert newest.endswith(f"  repeats {first}")
    assert "repeats" not in oldest
    assert ended(["show", "last"]) == 0
    assert f"\n  repeats the run {first}\n" in capsys.readouterr().out
    assert ended(["runs", "--format", "json"]) == 0
    assert [run["rerun_of"] for run in json.loads(capsys.readouterr().out)["runs"]] == [first, None]


def test_a_call_that_never_left_does_not_start_again(answers: Answers, capsys: Capture) -> None:
    looked = JOB.replace("UsrLook}", "UsrLook, result: Out}").replace(
        "effect: read", "effect: read, expect: [result == 1]"
    )
    Path("a.job.yaml").write_text(looked)
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    assert ended(["rerun", "last"]) == 1
    assert "start again" not in capsys.readouterr().err
    assert len(answers.asked) == 2


def test_a_run_in_doubt_is_refused_with_the_command_that_settles_it(answers: Answers, capsys: Capture) -> None:
    answers.given["UsrCharge"] = Answer(silent=True)
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 4
    (run,) = stored()
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", "last"]) == 6
    said = capsys.readouterr().err
    assert f"error[E181]: run {run} of billing[red]@here is not settled: in doubt: charge may or may not" in said
    assert f"settle it first: `runner resume {run} --step charge --as passed` if you have checked" in said
    assert answers.asked == []


def test_run_says_what_it_starts_again_of_a_run_that_is_left_open(answers: Answers, capsys: Capture) -> None:
    answers.given["UsrCharge"] = Answer(silent=True)
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 4
    (run,) = stored()
    capsys.readouterr()
    assert ended(["run", "a.job.yaml", "-k", "blue", "-q"]) == 4
    assert ended(["run", "a.job.yaml", "-k", "red", "-q", "-i", "who=Eve"]) == 4
    assert "E181" not in capsys.readouterr().err
    del answers.given["UsrCharge"]
    assert ended(["run", "a.job.yaml", "-k", "red", "-q"]) == 0
    said = capsys.readouterr().err
    assert f"warning[E181]: run {run} of billing[red]@here is not settled: in doubt: charge may or may not" in said
    assert "; this command starts again: `charge`\n" in said
    assert f"hint: `runner resume {run} --step charge --as passed` if you have checked" in said
    assert ended(["run", "a.job.yaml", "-k", "red", "-q"]) == 0
    assert "E181" not in capsys.readouterr().err


@pytest.mark.parametrize(("says", "code"), [("no", 6), ("yes", 0)])
def test_a_person_is_asked_whether_it_is_to_start_again(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, says: str, code: int
) -> None:
    answers.given["UsrCharge"] = Answer(silent=True)
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 4
    answers.given.clear()
    answers.asked.clear()
    monkeypatch.setattr("runner.terminal.asking.is_there", lambda: True)
    monkeypatch.setattr("runner.terminal.asking.says_yes", lambda _question: says == "yes")
    assert ended(["run", "a.job.yaml", "-k", "red"]) == code
    assert bool(answers.asked) == (says == "yes")


def test_a_run_that_broke_off_is_refused_with_resume(answers: Answers, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 0
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:2]))
    (events.parent / "report.json").unlink()
    answers.asked.clear()
    assert ended(["rerun", "last"]) == 6
    assert f"settle it first: `runner resume {events.parent.name}` goes on" in capsys.readouterr().err
    assert answers.asked == []


def test_a_secret_comes_anew_and_no_other_input_does(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 0
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    answers.asked.clear()
    assert ended(["rerun", "last"]) == 2
    assert "`token`" in capsys.readouterr().err
    Path("token").write_text("an0ther-t0ken")
    assert ended(["rerun", "last", "-i", "token=@token", "-i", "who=Eve"]) == 2
    assert "input `who` is fixed by the run" in capsys.readouterr().err
    assert answers.asked == []
    assert ended(["rerun", "last", "-i", "token=@token"]) == 0
    assert "Token=an0ther-t0ken" in answers.asked[-1]


def test_the_file_of_all_inputs_gives_the_secret_anew_and_the_others_as_they_were(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    Path("all.yaml").write_text("who: Bob\ntoken: an0ther-t0ken\n")
    assert ended(["run", "a.job.yaml", "-k", "red", "--inputs", "all.yaml"]) == 0
    assert ended(["rerun", "last", "--inputs", "all.yaml"]) == 0
    assert "Token=an0ther-t0ken" in answers.asked[-1]
    Path("all.yaml").write_text("who: Eve\ntoken: an0ther-t0ken\n")
    capsys.readouterr()
    assert ended(["rerun", "last", "--inputs", "all.yaml"]) == 2
    assert "input `who` is fixed by the run, with another value: only secrets are given anew" in capsys.readouterr().err


def test_a_secret_that_was_written_in_the_file_comes_anew_as_it_was(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    written = "token: {type: string, secret: true"
    file = Path("a.job.yaml")
    file.write_text(file.read_text().replace(written, f"{written}, default: wr1tten-t0ken"))
    answers.given["UsrCharge"] = Answer(body='{"Message": "no number", "ExceptionType": "System.Exception"}')
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    (command,) = re.findall(r"`?(runner rerun [^`\n]* -i token=@FILE)", "".join(capsys.readouterr()))
    answers.asked.clear()
    words = command.replace("@FILE", "@token").split()[1:]
    for token, code in ("an0ther-t0ken", 2), ("wr1tten-t0ken", 1):
        assert answers.asked == []
        Path("token").write_text(token)
        assert ended(words) == code
    assert "Token=wr1tten-t0ken" in answers.asked[-1]


def test_an_input_that_holds_a_secret_is_whole_again_with_that_secret_only(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB.replace("who: Blue", "who: Blue-s3cret-t0ken"))
    assert ended(["run", "a.job.yaml", "-k", "blue"]) == 0
    sent = list(answers.asked)
    assert "Blue-s3cret-t0ken" in sent[-1]
    answers.asked.clear()
    assert ended(["rerun", "last"]) == 0
    assert answers.asked == sent
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "another-t0ken")
    assert ended(["rerun", "last"]) == 2
    assert "E156]: a file or an input of the job held a secret" in capsys.readouterr().err
    assert answers.asked == sent


@pytest.mark.parametrize(("then", "now"), [("Blue", "Green"), ("UsrCharge", "UsrOther")])
def test_a_stored_plan_that_was_edited_is_not_carried_out(
    then: str, now: str, answers: Answers, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml", "-k", "blue"]) == 0
    (plan,) = Path(".runner/runs").glob("*/plan.json")
    plan.write_text(plan.read_text().replace(then, now))
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", "last"]) == 2
    assert "plan.json: error[E156]: the run's plan does not fit its digest" in capsys.readouterr().err
    assert answers.asked == []


def test_a_target_that_is_another_place_now_is_refused(here: Site, answers: Answers, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 0
    Path("targets.yaml").write_text(targets(here.url.replace("127.0.0.1", "localhost")))
    answers.asked.clear()
    assert ended(["rerun", "last"]) == 2
    assert "when the run began, and is http://localhost" in capsys.readouterr().err
    assert answers.asked == []


def test_a_rerun_that_is_refused_writes_its_reports_with_the_reason(answers: Answers) -> None:
    answers.given["UsrCharge"] = Answer(silent=True)
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 4
    assert ended(["rerun", "last", "--report-junit", "junit.xml"]) == 6
    assert "is not settled" in Path("junit.xml").read_text()


def test_a_run_that_failed_is_shown_with_the_command_that_carries_it_out_again_and_what_starts_twice(
    answers: Answers, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB.replace('inputs.who }}"}}', 'inputs.who }}"}, result: Out}, expect: [1 == 2]'))
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    (run,) = stored()
    printed = capsys.readouterr().out
    assert ended(["show", "last"]) == 0
    shown = capsys.readouterr().out
    assert printed.splitlines()[-3:] == shown.splitlines()[-3:]
    again = "runner run a.job.yaml -t here -k 'billing[red]'"
    assert shown.splitlines()[-5:] == [
        "  what next:",
        f"    {again}",
        f"      when you have mended the file, this carries it out as it is now; {CAREFUL} charge",
        f"    runner rerun {run}",
        f"      carries it out once more as it was, with its inputs; {CAREFUL} charge{FROM_VARIABLE}",
    ]
    assert ended(["runs", "--format", "json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["runs"]
    assert listed["rerun"] == {"command": f"runner rerun {run}", "repeats": ["charge"], "mended": again}
    assert answers.asked
    answers.asked.clear()
    Path("token").write_text("s3cret-t0ken")
    assert ended(["rerun", run, "-i", "token=@token"]) == 1
    assert len(answers.asked) == 2


def test_what_finally_left_undone_is_to_be_done_by_hand_before_the_job_runs_again(
    answers: Answers, capsys: Capture
) -> None:
    back = "execute: {process: UsrBack}, effect: idempotent"
    see = "{id: see, execute: {process: UsrBack}, effect: read}"
    finish = f"finally: [{{id: back, {back}}}, {{id: tidy, {back}, on_failure: ignore}}, {see}]\n"
    Path("a.job.yaml").write_text(
        JOB.replace('inputs.who }}"}}', 'inputs.who }}"}, result: Out}, expect: [1 == 2]') + finish
    )
    answers.given = {"UsrBack": NOTHING}
    by_hand = "first do by hand what it left undone (back did not pass)"
    assert ended(["run", "a.job.yaml", "-k", "red", "--report-html", "a.html", "--report-md", "a.md"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "  finally: incomplete: back did not pass" in lines
    assert lines[-1].startswith(f"      {by_hand}. Then: carries it out once more as it was")
    assert "finally is incomplete: back did not pass" in Path("a.html").read_text()
    assert f"<b>{by_hand}</b>" in Path("a.html").read_text()
    assert "finally: incomplete: back did not pass" in Path("a.md").read_text()
    assert ended(["runs"]) == 0
    assert f"failed at charge: E201; {by_hand}" in capsys.readouterr().out
    assert ended(["run", "a.job.yaml"]) == 1
    (does,) = [line for line in capsys.readouterr().out.splitlines() if "once more, as it was" in line]
    assert "first do by hand what billing[red]@here, billing[blue]@here left undone. Then: " in does


def test_after_a_refused_value_the_first_advice_is_to_mend_the_file_which_a_rerun_does_not_read(
    answers: Answers, capsys: Capture
) -> None:
    answers.given["UsrCharge"] = Answer(body='{"Message": "no number", "ExceptionType": "System.Exception"}')
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    (run,) = stored()
    shown = capsys.readouterr().out.splitlines()[-5:]
    assert shown == [
        "  what next:",
        "    runner run a.job.yaml -t here -k 'billing[red]' --last-failed",
        f"      when you have mended the file, this carries it out as it is now; {CAREFUL} charge",
        f"    runner rerun {run}",
        f"      carries it out once more as it was, with its inputs; {CAREFUL} charge{FROM_VARIABLE}",
    ]
    assert ended(["runs", "--format", "json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["runs"]
    assert listed["rerun"]["mended"] == "runner run a.job.yaml -t here -k 'billing[red]' --last-failed"
    assert ended(["report", "last", "--report-html", "report.html"]) == 1
    page = Path("report.html").read_text()
    assert 'when you have mended the file: <code class="cmd">runner run a.job.yaml -t here -k' in page
    assert ended(["rerun", "--help"]) == 0
    assert "changed since then, also to mend it, is not read" in " ".join(capsys.readouterr().out.split())


def test_after_a_right_that_is_missing_the_rerun_comes_first(answers: Answers, capsys: Capture) -> None:
    answers.given["UsrCharge"] = Answer(status=403, body='{"Message": "no right"}')
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    printed = capsys.readouterr().out
    assert printed.index("runner rerun") < printed.index("when you have mended the file")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("pause: 5s", "E212"),
        ("execute: {process: UsrLook, result: Out, required: true}", "E206"),
        ("query: {entity: Contact, top: 1}", "E209"),
    ],
)
def test_where_only_a_changed_file_helps_its_command_comes_first(
    step: str, code: str, answers: Answers, capsys: Capture
) -> None:
    answers.given |= {"UsrLook": Answer(body="")}
    answers.given |= {"Contact": Answer(body='{"value": [{"Id": "1"}, {"Id": "2"}]}')}
    Path("b.job.yaml").write_text(f"runner: 1\nname: b\ntimeout: 1s\ndefaults: {{verify: none}}\nsteps:\n  - {step}\n")
    assert ended(["run", "b.job.yaml", "-t", "here"]) != 0
    printed = capsys.readouterr().out
    assert printed.count(f"{code}: ") == 1
    assert printed.partition("what next:\n")[2].startswith("    runner run b.job.yaml -t here")


def test_after_an_address_that_nobody_answers_at_a_command_is_named_that_reads_targets_anew(
    answers: Answers, capsys: Capture
) -> None:
    right = Path("targets.yaml").read_text()
    Path("targets.yaml").write_text(re.sub(r"http://127.0.0.1:\d+", "http://127.0.0.1:9", right))
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 3
    shown = capsys.readouterr().out.splitlines()
    assert "E301" in "".join(shown)
    at = shown.index("    runner run a.job.yaml -t here -k 'billing[red]'")
    assert shown[at + 1].startswith("      when you have mended the target, if that is the cause, this carries")
    Path("targets.yaml").write_text(right)
    assert ended(shlex.split(shown[at])[1:]) == 0
    assert answers.asked


def test_after_a_refused_sign_in_the_targets_file_is_to_be_mended_whatever_finally_lacked(capsys: Capture) -> None:
    note = "{if: failure(), execute: {process: UsrNote, parameters: {Of: '{{ steps.charge.result }}'}}}"
    Path("a.job.yaml").write_text(JOB.replace('.who }}"}}', '.who }}"}, result: R}') + f"finally: [{note}]\n")
    with site(Answers(), sign_in=REFUSED) as shut:
        Path("targets.yaml").write_text(targets(shut.url))
        assert ended(["run", "a.job.yaml", "-k", "red"]) == 3
    printed = capsys.readouterr().out
    assert "E303" in printed
    assert "E207" in printed
    command, does = printed.partition("what next:\n")[2].splitlines()[:2]
    assert command == "    runner run a.job.yaml -t here -k 'billing[red]'"
    assert "when you have mended the sign-in, this " in does


def test_after_vars_that_break_the_file_is_to_be_mended_first(capsys: pytest.CaptureFixture[str]) -> None:
    job = "runner: 1\nname: b\nvars: {n: '{{ {\"a\": 1}[target.name] }}'}\nsteps: [{pause: 1ms, if: vars.n > 0}]\n"
    Path("b.job.yaml").write_text(job)
    assert ended(["run", "b.job.yaml", "-t", "here"]) == 1
    assert capsys.readouterr().out.partition("what next:\n")[2].startswith("    runner run b.job.yaml -t here\n")


def test_where_the_log_was_not_to_be_read_only_the_verdict_of_a_person_is_proposed(
    answers: Answers, capsys: Capture
) -> None:
    answers.given["UsrCharge"] = Answer(silent=True)
    assert ended(["run", "a.job.yaml", "-k", "red", "--hold"]) == 4
    (run,) = stored()
    for _ in range(2):
        shown = capsys.readouterr().out
        assert "reconcile" not in shown.partition("what next:")[2]
        assert f"    runner resume {run} --step charge --as passed" in shown
        assert ended(["show", "last"]) == 0
    capsys.readouterr()
    assert ended(["runs", "--format", "json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["runs"]
    assert listed["next"] == [f"runner resume {run} --step charge --as passed --hold"]


def test_a_targets_file_that_has_no_target_any_more_is_a_mistake_and_no_fault_of_this_program(
    answers: Answers, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 0
    Path("targets.yaml").write_text("runner: 1\ntargets: {}\n")
    answers.asked.clear()
    for command in (["rerun", "last"], ["run", "a.job.yaml"]):
        assert ended(command) == 2
        assert "error[E108]: `targets` is empty" in capsys.readouterr().err
    assert answers.asked == []


def test_a_mistake_in_the_targets_file_is_reported_though_the_target_of_the_run_is_not_in_it(
    here: Site, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for name, value in {"URL": here.url, "USERNAME": "Supervisor", "PASSWORD": "pa55word"}.items():
        monkeypatch.setenv(f"CREATIO_{name}", value)
    assert ended(["run", "a.job.yaml", "-k", "red", "-t", "env"]) == 0
    Path("targets.yaml").write_text("runner: 1\ntargets: {here: {url: http://x.example.com}}\n")
    assert ended(["rerun", "last"]) == 2
    assert "error[E143]: `x.example.com` would be called without TLS" in capsys.readouterr().err


@pytest.mark.parametrize("undo", ["{execute: {process: UsrFree}}", "[{id: free, execute: {process: UsrFree}}]"])
def test_a_step_that_was_undone_starts_again_too_and_is_named_apart(undo: str, capsys: Capture) -> None:
    Path("a.job.yaml").write_text(
        JOB.replace(
            "  - {id: charge,",
            f"  - {{id: book, execute: {{process: UsrBook}}, undo: {undo}}}\n  - {{id: charge,",
        )
        + "  - {pause: 1ms, expect: [inputs.who == 'Eve']}\n"
    )
    assert ended(["run", "a.job.yaml", "-k", "blue"]) == 1
    capsys.readouterr()
    assert ended(["rerun", "last"]) == 1
    said = capsys.readouterr().err
    assert "`once` steps that start again: charge\n" in said
    assert "`once` steps that start again, and were undone: book\n" in said


def test_the_command_for_a_mended_file_has_the_inputs_that_were_given_and_no_others(
    answers: Answers, capsys: Capture
) -> None:
    inputs = "inputs: {month: {type: string, default: 2026-11}, year: {default: 1}, long: {default: 1}"
    inputs += ", n: {default: 1}, l: {default: 1}}"
    Path("m.job.yaml").write_text(
        f"runner: 1\nname: m\ntarget: here\n{inputs}\nsteps:\n  - {{execute: {{process: UsrA}}, expect: [1 == 2]}}\n"
    )
    answers.given = {"UsrA": NOTHING}
    given = ["-i", "month=it's May", "-i", 'year="MMXXVI"', "-i", f'long="{"x" * 200}"', "-i", "n=1", "-i", "l=[1]"]
    assert ended(["run", "m.job.yaml", *given, "--report-html", "m.html"]) == 1
    again = """runner run m.job.yaml -t here --last-failed -i 'month=it'"'"'s May' -i 'year="MMXXVI"'"""
    again += " -i long=@FILE -i l=@FILE"
    assert f"    {again}\n" in capsys.readouterr().out
    assert again in unescape(Path("m.html").read_text())


def test_a_run_of_which_a_rerun_has_passed_is_not_carried_out_yet_again_unless_the_rerun_is_named(
    answers: Answers, capsys: Capture
) -> None:
    answers.given["UsrCharge"] = Answer(body='{"Message": "no number", "ExceptionType": "System.Exception"}')
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    (run,) = stored()
    del answers.given["UsrCharge"]
    assert ended(["rerun", run]) == 0
    (again,) = {*stored()} - {run}
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", run]) == 6
    said = capsys.readouterr().err
    assert f"run {run} is carried out once more by run {again}, which has passed" in said
    assert f"hint: nothing was sent; `runner rerun {again}` carries it out yet again" in said
    assert answers.asked == []
    assert ended(["rerun", again]) == 0


def test_a_run_of_which_a_rerun_has_failed_after_a_call_that_must_happen_only_once_is_not_carried_out_yet_again(
    answers: Answers, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB + "  - {id: check, execute: {process: UsrCheck}, effect: read}\n")
    refused = Answer(body='{"Message": "no number", "ExceptionType": "System.Exception"}')
    answers.given["UsrCharge"] = refused
    assert ended(["run", "a.job.yaml", "-k", "red"]) == 1
    (run,) = stored()
    assert ended(["rerun", run]) == 1
    answers.given = {"UsrCheck": refused}
    assert ended(["rerun", run]) == 1, "the rerun before has begun nothing"
    again = [*stored()][2]
    answers.asked.clear()
    capsys.readouterr()
    assert ended(["rerun", run]) == 6
    said = capsys.readouterr().err
    assert (
        f"run {run} is carried out once more by run {again}, which ended as `failed`, after charge had passed" in said
    )
    assert f"hint: nothing was sent; `runner rerun {again}" in said
    assert answers.asked == []
