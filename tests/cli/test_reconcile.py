"""`runner reconcile`, end to end: a call in doubt, and what the process log says of it at last, or does not."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from captured import Capture
from sandboxes import serve_sandbox
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended
from runner.foundation.values import JsonObject

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: billing
target: here
steps:
  - id: charge
    execute: {process: UsrCharge}
"""
MAIL = "  - id: mail\n    execute: {process: UsrMail}\n    effect: idempotent\n    verify: none\n"
RESULT = JOB.replace("UsrCharge}", "UsrCharge, result: Receipt}") + "    expect: [result > 0]\n"
US, SOMEBODY = "410006e1-ca4e-4502-a9ec-e54d922d2c00", "976a1b9e-8e51-4d3a-9d1c-5a0f2b7c8e44"
DONE, FAILED = "815c9586-b6e2-df11-971b-001d60e938c6", "f942c08d-b6e2-df11-971b-001d60e938c6"
LOST = Answer(silent=True)
"""What an answer looks like that never came."""


def log_row(number: int, *, status: str = DONE, owner: str = US) -> JsonObject:
    """A start of just now, by the clock that the site's answers tell, too."""
    return {
        "Id": f"1f0c9a3e-92a3-4c0b-8f1c-0a9b6f6a{number:04}",
        "Name": "Charge",
        "StartDate": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "CompleteDate": None,
        "StatusId": status,
        "OwnerId": owner,
        "ErrorDescription": "no money" if status == FAILED else "",
    }


@dataclass
class Place:
    """A site that takes `UsrCharge` and never answers it. `log` is what its process log shows, None where it fails;
    `logs_at_once`: it shows a start as soon as the call has come; `log_of_next` what it shows then; `answered`: it is.
    """

    log: list[JsonObject] | None = field(default_factory=list)
    logs_at_once: bool = False
    executed: list[str] = field(default_factory=list)
    answered: bool = False
    log_of_next: list[JsonObject] | None = None
    hidden_log: list[JsonObject] | None = None  # where given, it has the next start, and the log fails from then on

    def __call__(self, _method: str, path: str) -> Answer:
        if "GetCurrentUserInfo" in path:
            return Answer(body=json.dumps({"contactId": US}))
        if "/SysProcessLog" in path:
            return Answer(status=503) if self.log is None else Answer(body=json.dumps({"value": self.log}))
        if "/RunProcess" in path:
            self.log = self.log_of_next or []
            return Answer(body=json.dumps({"processId": self.log[0]["Id"], "processStatus": 2, "success": True}))
        if "/Execute" not in path:
            return NOTHING
        self.executed.append(path.split("/")[4])
        if self.logs_at_once:
            self.log = [log_row(9)]
        self.log = self.log_of_next or self.log
        if self.hidden_log is not None:
            self.log, self.hidden_log = None, [log_row(1)]
        return LOST if "UsrCharge" in path and not self.answered else xml(1)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def here(place: Place) -> Iterator[Site]:
    with site(place) as served:
        Path("targets.yaml").write_text(targets(served.url) + "    settle: 20ms\n")
        Path("a.job.yaml").write_text(JOB)
        yield served


@pytest.fixture
def in_doubt(here: Site, place: Place, capsys: Capture) -> None:
    """A run that has ended, and nobody knows whether `charge` happened."""
    place.log = [log_row(1)]  # of an earlier run: it was there before the call left
    assert ended(["run", "a.job.yaml"]) == 4
    assert place.executed == ["UsrCharge"]
    assert here.executes()
    capsys.readouterr()


def row(report: str = "report.json") -> tuple[str, object, str]:
    """Of the row in question its status and what verified it, and the status of the run."""
    (run,) = json.loads(Path(report).read_text())["runs"]
    return run["steps"][0]["status"], run["steps"][0]["verified"], run["status"]


@pytest.mark.usefixtures("in_doubt")
class TestOfARunInDoubt:
    def test_a_start_that_the_log_shows_by_now_settles_it(self, place: Place, capsys: Capture) -> None:
        place.log = [log_row(2), log_row(1)]
        assert ended(["reconcile", "last", "--report-json", "report.json"]) == 0
        assert row() == ("passed", "inferred", "passed")
        output = capsys.readouterr()
        assert output.out.startswith("reconciled billing@here, http://127.0.0.1:")
        assert "✓ charge  Execute UsrCharge  (settled from the process log, " in output.out
        assert "what next" not in output.out
        assert output.err == ""
        assert place.executed == ["UsrCharge"]

    def test_a_start_that_failed_settles_it_as_failed(self, place: Place, capsys: Capture) -> None:
        place.log = [log_row(2, status=FAILED), log_row(1)]
        assert ended(["reconcile", "last", "--report-json", "report.json"]) == 1
        assert row() == ("failed", "inferred", "failed")
        assert "no money" in capsys.readouterr().out

    def test_no_start_proves_nothing_and_the_code_stays_4(self, place: Place, capsys: Capture) -> None:
        for _ in range(2):
            assert ended(["reconcile", "last", "--report-json", "report.json"]) == 4
            assert row() == ("unknown", None, "unknown")
            output = capsys.readouterr()
            assert output.err == (
                "the process log was read again about `charge`: it shows no start of this call; "
                "a start may still appear, so the call stays in doubt\n"
            )
            assert "    runner reconcile " in output.out
        assert place.executed == ["UsrCharge"]

    def test_a_start_of_another_run_is_not_taken_for_it_also_where_that_run_was_pruned(
        self, place: Place, capsys: Capture
    ) -> None:
        first = next(Path(".runner/runs").iterdir()).name
        place.log_of_next = [log_row(2), log_row(1)]
        Path("b.job.yaml").write_text(JOB.replace("execute", "run").replace("billing", "named"))
        assert ended(["run", "b.job.yaml"]) == 0
        assert ended(["runs", "--prune", "0.001s"]) == 0
        assert [folder.name for folder in Path(".runner/runs").iterdir()] == [first]
        assert ended(["reconcile", first, "--report-json", "report.json"]) == 4
        assert row() == ("unknown", None, "unknown")
        shown = (
            "it shows no start of this call (1 new of other calls, or at another time); a start may still appear, so"
        )
        assert f"about `charge`: {shown}" in capsys.readouterr().err

    def test_a_start_that_another_run_may_have_made_is_not_taken_for_it_either(
        self, place: Place, capsys: Capture
    ) -> None:
        first = next(Path(".runner/runs").iterdir()).name
        Path("a.job.yaml").write_text(JOB + "    verify: none\n")
        place.answered, place.log_of_next = True, [log_row(2), log_row(1)]
        assert ended(["run", "a.job.yaml"]) == 0
        assert ended(["reconcile", first, "--report-json", "report.json"]) == 4
        other = next(folder.name for folder in Path(".runner/runs").iterdir() if folder.name != first)
        assert f"a start that another run ({other}, " in capsys.readouterr().out
        place.log = [log_row(3), log_row(2), log_row(1)]
        assert ended(["reconcile", first]) == 4

    def test_several_starts_do_not_show_which_is_ours(self, place: Place, capsys: Capture) -> None:
        place.log = [log_row(3), log_row(2), log_row(1)]
        assert ended(["reconcile", "last"]) == 4
        shown = f"it shows 2 new starts that may be ours, which is not certain: {log_row(3)['Id']} (20"
        assert f"about `charge`: {shown}" in capsys.readouterr().err

    def test_a_start_of_somebody_else_is_not_taken_for_ours(self, place: Place) -> None:
        place.log = [log_row(2, owner=SOMEBODY), log_row(1)]
        assert ended(["reconcile", "last"]) == 4

    def test_a_log_that_cannot_be_read_is_reported_with_the_reason(self, place: Place, capsys: Capture) -> None:
        place.log = None
        assert ended(["reconcile", "last"]) == 4
        err = capsys.readouterr().err
        assert err.startswith("the process log could not be read about `charge`\nE3")
        assert "503" in err
        place.log = [log_row(2), log_row(1)]
        assert ended(["reconcile", "last"]) == 0


def test_a_row_is_nobodys_where_what_other_folders_had_started_is_lost(
    here: Site, place: Place, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(["run", "a.job.yaml"]) == 4
    folder = Path.cwd()
    other = folder / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    Path("targets.yaml").write_text((folder / "targets.yaml").read_text())
    Path("a.job.yaml").write_text(JOB)
    place.answered, place.log_of_next = True, [log_row(1)]
    assert ended(["run", "a.job.yaml"]) == 0
    assert "not verified: another run (" in capsys.readouterr().out
    monkeypatch.chdir(folder)
    state = Path(os.environ["XDG_STATE_HOME"]) / "creatio-runner"
    shutil.rmtree(state)
    assert ended(["reconcile", "last"]) == 4
    printed = capsys.readouterr().out
    assert "the process log shows a start that a run of another folder may have made: " in printed
    assert f"; {state}/rows-" in printed
    assert ".sqlite was deleted or replaced, so that it is not known what other folders started before 20" in printed
    assert "runner reconcile" not in printed, "it could settle nothing"
    assert " --step charge --as passed" in printed
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 0
    assert len(here.executes()) == 2


def test_a_new_run_does_not_take_a_start_that_one_before_it_may_have_made(
    here: Site, place: Place, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml"]) == 4
    place.log_of_next = [log_row(1)]  # it comes late: when the next run has begun, whose own call is lost
    capsys.readouterr()
    assert ended(["run", "a.job.yaml"]) == 4
    first, _ = sorted(folder.name for folder in Path(".runner/runs").iterdir())
    printed = capsys.readouterr().out
    assert f"the process log shows a start that another run ({first}, step `charge`, begun at 20" in printed
    assert f"Z) may have made: {log_row(1)['Id']} (done, 20" in printed
    assert place.executed == ["UsrCharge"] * 2
    assert here.executes()


def test_what_was_left_out_makes_a_run_failed_that_is_settled_as_passed(
    here: Site, place: Place, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB + MAIL)
    assert ended(["run", "a.job.yaml"]) == 4
    place.log = [log_row(1)]
    assert ended(["reconcile", "last", "--report-json", "report.json"]) == 1
    assert row() == ("passed", "inferred", "failed")
    assert "  exit 1: the job was not carried out whole\n" in capsys.readouterr().out
    assert place.executed == ["UsrCharge"]
    assert here.executes()


def test_what_is_settled_by_the_log_is_undone_by_a_resume_which_is_named(
    here: Site, place: Place, capsys: Capture
) -> None:
    undo = "    undo: {execute: {process: UsrRefund}}\n"
    first = "  - id: mail\n    execute: {process: UsrMail}\n    verify: none\n" + undo
    Path("a.job.yaml").write_text(JOB.replace("steps:\n", f"steps:\n{first}") + undo + MAIL.replace("mail", "after"))
    assert ended(["run", "a.job.yaml"]) == 4
    place.log = [log_row(1)]
    assert ended(["reconcile", "last"]) == 1
    shown = capsys.readouterr().out
    assert "what was in doubt is settled, and what passed is not undone yet" in shown
    *_, command = [line for line in shown.splitlines() if line.startswith("    runner resume ")]
    assert place.executed == ["UsrMail", "UsrCharge"]
    assert ended(shlex.split(command)[1:]) == 1
    assert place.executed == ["UsrMail", "UsrCharge", "UsrRefund", "UsrRefund"]
    assert "passed is not undone yet" not in capsys.readouterr().out
    assert ended(shlex.split(command)[1:]) == 1
    over, *_, again = capsys.readouterr().err.splitlines()
    assert over.startswith("nothing is left to do of ")
    assert over.endswith(", which ended `failed`: nothing was sent")
    assert again.startswith("`runner rerun ")
    assert again.endswith(
        "` carries it out once more as it was, with its inputs; it starts again what was undone: mail, charge"
    )
    assert place.executed.count("UsrRefund") == 2
    assert here.executes()


def test_a_run_that_was_held_is_settled_and_left_and_a_resume_goes_on(
    here: Site, place: Place, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB + MAIL)
    assert ended(["run", "a.job.yaml", "--hold"]) == 4
    place.log = [log_row(1)]
    capsys.readouterr()
    assert ended(["reconcile", "last", "--report-json", "report.json"]) == 3
    out = capsys.readouterr().out
    assert "      goes on where it broke off; calls that were answered are not sent again\n" in out
    assert "  exit 3: the run has not come to its end\n" in out
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    assert [(step["key"], step["status"]) for step in run["steps"]] == [("charge", "passed")]
    assert place.executed == ["UsrCharge"]
    assert ended(["resume", "last", "--report-json", "report.json"]) == 0
    assert place.executed == ["UsrCharge", "UsrMail"]
    assert here.executes()


def test_a_start_whose_result_was_lost_is_a_persons_to_settle_and_the_log_is_not_recommended(
    here: Site, place: Place, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(RESULT)
    place.logs_at_once = True
    assert ended(["run", "a.job.yaml"]) == 4
    out = capsys.readouterr().out
    assert f"E402: it happened as process {log_row(9)['Id']}, but its answer was lost, and this job needs" in out
    assert "  in doubt: charge happened, but the result is lost\n" in out
    assert "--step charge --as passed --result 'JSON'\n" in out
    assert "runner reconcile" not in out
    assert ended(["reconcile", "last"]) == 4
    assert "it shows the process as done; the call stays in doubt\n" in capsys.readouterr().err
    assert ended(["resume", "last", "--step", "charge", "--as", "passed", "--result", "7"]) == 0
    assert here.executes()


@pytest.mark.parametrize("command", [["reconcile", "last"], ["resume", "last", "--step", "charge", "--as", "passed"]])
def test_an_answer_that_came_is_taken_from_the_journal_when_the_end_is_settled(
    here: Site, place: Place, capsys: Capture, command: list[str]
) -> None:
    Path("a.job.yaml").write_text(RESULT + "    verify: log\noutputs: {paid: steps.charge.result}\n")
    place.answered, place.hidden_log = True, []
    assert ended(["run", "a.job.yaml"]) == 4
    out = capsys.readouterr().out
    assert "in doubt: charge has begun, and nobody knows how it ended\n" in out
    assert "asks the process log again, and sends nothing else\n" in out
    assert "--step charge --as passed\n" in out
    assert "the run waits where the job needs a result" not in out
    place.log = place.hidden_log
    assert ended([*command, "--report-json", "report.json"]) == 0
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    assert (run["outputs"], place.executed) == ({"paid": 1}, ["UsrCharge"])
    assert here.executes()


def test_a_lost_result_that_only_an_output_of_the_job_needs_may_stay_unknown(
    here: Site, place: Place, capsys: Capture
) -> None:
    written = RESULT.partition("    expect:")[0] + "outputs: {paid: steps.charge.result}\n"
    Path("a.job.yaml").write_text(written)
    place.logs_at_once = True
    assert ended(["run", "a.job.yaml"]) == 4
    assert "without `--result` where only `outputs` of the job need it" in " ".join(capsys.readouterr().out.split())
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 0
    assert "`outputs` of the job that need it are null" in " ".join(capsys.readouterr().out.split())
    assert here.executes()


def test_a_start_that_shows_only_later_does_not_give_the_result_that_was_lost(
    here: Site, place: Place, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(RESULT)
    assert ended(["run", "a.job.yaml"]) == 4
    place.log = [log_row(1)]
    assert ended(["reconcile", "last"]) == 4
    assert "about `charge`: it shows 1 new start that may be ours, which is not certain: 1f" in capsys.readouterr().err
    assert here.executes()


def test_all_runs_of_a_command_that_are_in_doubt_are_settled_together(capsys: Capture) -> None:
    shown = False

    class Two(Place):
        def __call__(self, method: str, path: str) -> Answer:
            if "/SysProcessLog" in path:
                number = 1 if "UsrChargeA" in path else 2
                return Answer(body=json.dumps({"value": [log_row(number)] if shown else []}))
            return super().__call__(method, path)

    place = Two()
    with site(place) as served:
        Path("targets.yaml").write_text(targets(served.url) + "    settle: 20ms\n")
        for name in "AB":
            Path(f"{name}.job.yaml").write_text(
                JOB.replace("billing", name.lower()).replace("UsrCharge", f"UsrCharge{name}")
            )
        assert ended(["run", "A.job.yaml", "B.job.yaml"]) == 4
        command, does = capsys.readouterr().out.splitlines()[-2:]
        assert re.fullmatch(r" {4}runner reconcile \S+ --together", command)
        assert does == "      asks the process log about all 2 runs in doubt, and sends nothing else"
        assert ended(command.split()[1:]) == 4
        shown = True
        assert ended(["reconcile", "last", "--together", "--report-json", "report.json"]) == 0
        assert [run["status"] for run in json.loads(Path("report.json").read_text())["runs"]] == ["passed", "passed"]
        assert ended(["reconcile", "last", "--together"]) == 0
    assert place.executed == ["UsrChargeA", "UsrChargeB"]
    assert "no run of the same command is in doubt; nothing is left to do" in capsys.readouterr().err


def test_a_run_without_a_doubt_asks_nothing(here: Site, place: Place, capsys: Capture) -> None:
    Path("a.job.yaml").write_text(JOB.replace("UsrCharge", "UsrMail").replace("UsrMail}", "UsrMail}\n    verify: none"))
    assert ended(["run", "a.job.yaml"]) == 0
    asked = len(here.asked)
    assert ended(["reconcile", "last"]) == 0
    assert "nothing is in doubt of billing@here" in capsys.readouterr().err
    assert (len(here.asked), place.executed) == (asked, ["UsrMail"])


DOUBLE = "runner: 1\nprocess: UsrCharge\nparameters: {Mark: {type: text, direction: in}}\nactivities: []\n"


@pytest.mark.parametrize(
    ("fault", "code", "starts"), [("drop_after", 0, 1), ("gateway_504", 0, 1), ("drop_before", 4, 0)]
)
def test_against_the_sandbox_a_lost_answer_is_settled_where_the_process_began(
    tmp_path: Path, fault: str, code: int, starts: int
) -> None:
    (tmp_path / "doubles").mkdir()
    (tmp_path / "doubles" / "UsrCharge.process.yaml").write_text(DOUBLE)
    Path("a.job.yaml").write_text(JOB)
    with serve_sandbox(tmp_path / "doubles", tmp_path / "sandbox.db") as sandbox:
        Path("targets.yaml").write_text(sandbox.targets())
        sandbox.set_fault(fault, "UsrCharge")
        assert ended(["run", "a.job.yaml"]) == code
        assert ended(["reconcile", "last"]) == code
        assert len(sandbox.starts()) == starts


def test_against_the_sandbox_a_retry_is_refused_where_the_log_now_shows_starts_and_even_though_sends_it_again(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "doubles").mkdir()
    (tmp_path / "doubles" / "UsrCharge.process.yaml").write_text(DOUBLE)
    Path("a.job.yaml").write_text(JOB)
    retry = ["resume", "last", "--step", "charge", "--as", "retry"]
    with serve_sandbox(tmp_path / "doubles", tmp_path / "sandbox.db") as sandbox:
        Path("targets.yaml").write_text(sandbox.targets())
        sandbox.set_fault("drop_before", "UsrCharge")
        assert ended(["run", "a.job.yaml", "--hold"]) == 4
        for _ in range(2):  # starts by the same user: each may be the lost one
            assert ended(["run", "a.job.yaml", "--runs", "other"]) == 0
        capsys.readouterr()

        assert ended(retry) == 4
        refused = capsys.readouterr().out
        assert len(sandbox.starts()) == 2
        assert ended([*retry, "--even-though"]) == 0
        assert len(sandbox.starts()) == 3
    assert "E403: it may or may not have happened: " in refused
    assert "the process log shows 2 starts that may be it: " in refused
    assert "add `--even-though` to send it again all the same" in refused
