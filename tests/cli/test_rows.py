"""Whose rows of the process log are, over a real socket: several targets of one site, and proxies that repeat calls."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from captured import Capture
from sites import NOTHING, Answer, library, site, xml

from runner.cli.main import ended
from runner.foundation.values import JsonObject

pytestmark = pytest.mark.slow

US, THEM = "410006e1-ca4e-4502-a9ec-e54d922d2c00", "410006e1-ca4e-4502-a9ec-e54d922d2c01"
DONE = "815c9586-b6e2-df11-971b-001d60e938c6"
JOB = "runner: 1\nname: a\ntarget: here\nsteps:\n  - id: charge\n    execute: {process: UsrCharge}\n"


@pytest.fixture
def _short_pauses() -> None:
    """Not here: rows come late."""


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("a.job.yaml").write_text(JOB)


@dataclass
class Place:
    """A site whose log shows a start at once. `most` is how many calls were under way at the same time; `repeats`: a
    proxy makes each of the first calls twice, and hands on `second`, which is what the site says to the repetition.
    `owner` is who asks, None where the site does not say.
    """

    second: Answer | None = None
    repeats: bool = False
    readable: bool = True
    owner: str | None = US
    most: int = 0
    log: list[JsonObject] = field(default_factory=list)
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _never: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _method: str, path: str) -> Answer:
        if self.owner is None and ("GetCurrentUserInfo" in path or "SysAdminUnit" in path):
            return Answer(silent=True)
        if "GetCurrentUserInfo" in path:
            return Answer(body=json.dumps({"contactId": self.owner}))
        if "/SysProcessLog" in path:
            return Answer(body=json.dumps({"value": self.log})) if self.readable else Answer(status=403)
        if "/VwProcessLib" in path:
            return library("UsrCharge")
        return self._execute() if "/Execute" in path else NOTHING

    def _execute(self) -> Answer:
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            second, self.second = self.second, None
            if second is None or self.repeats:
                self.start()
            if self.repeats and second is None:
                self.start()
        self._never.wait(0.1)
        with self._lock:
            self._under_way -= 1
        return second or xml(1)

    def start(self, *, owner: str = US, began: datetime | None = None) -> None:
        number = len(self.log) + 1
        written = (began or datetime.now(UTC)).isoformat()
        row: JsonObject = {"Id": f"1f0c9a3e-92a3-4c0b-8f1c-0a9b6f6a{number:04}", "StartDate": written}
        self.log.insert(0, row | {"StatusId": DONE, "OwnerId": owner, "Name": "Charge"})


def targets(url: str, *others: str) -> None:
    auth = "auth: {username: integration, password: pa55-w0rd}"
    named = [
        f"  {name}: {{url: {address}, {auth}, settle: 20ms}}\n"
        for name, address in zip(("here", "there", "elsewhere"), (url, *others), strict=False)
    ]
    Path("targets.yaml").write_text(f"runner: 1\ntargets:\n{''.join(named)}")


def row(number: int = 0) -> JsonObject:
    (*runs,) = json.loads(Path("report.json").read_text())["runs"]
    step: JsonObject = runs[number]["steps"][0]
    return step


def test_targets_that_name_one_site_take_turns_whoever_signs_in() -> None:
    place = Place()
    with site(place) as here:
        port = here.url.rpartition(":")[2]
        targets(here.url, f"http://LOCALHOST:{port}/", f"HTTP://127.0.0.1:{port}")
        file = Path("targets.yaml")
        file.write_text(file.read_text().replace("integration", "integration@example.com", 1))
        command = ["run", "a.job.yaml", "-t", "here", "-t", "there", "-t", "elsewhere", "-j", "3"]
        assert ended([*command, "--report-json", "report.json"]) == 0
    assert place.most == 1
    assert [row(number)["verified"] for number in range(3)] == [True] * 3
    assert len({str(row(number)["process_id"]) for number in range(3)}) == 3


@pytest.mark.parametrize("status", [401, 429])
def test_a_start_that_a_proxy_has_repeated_is_not_made_again_where_the_second_answer_turns_it_away(
    status: int, capsys: Capture
) -> None:
    place = Place(second=Answer(status=status, body='{"Message":"Authentication failed."}'), repeats=True)
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 0
        assert len(here.executes()) == 1
    assert (row()["status"], row()["verified"]) == ("passed", "inferred")
    assert "settled from the process log" in capsys.readouterr().out


def test_an_expired_session_is_renewed_and_the_start_made_once() -> None:
    place = Place(second=Answer(status=401, body='{"Message":"Authentication failed."}'))
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 0
        assert len([line for line in here.asked if "AuthService" in line]) == 2
    assert (len(place.log), row()["verified"], row()["attempts"]) == (1, True, 1)


@pytest.mark.parametrize(("status", "effect"), [(401, "once"), (429, "idempotent")])
def test_a_start_that_was_turned_away_and_made_again_puts_no_later_run_in_doubt(status: int, effect: str) -> None:
    place = Place(second=Answer(status=status, body='{"Message":"Authentication failed."}'))
    retry = "{max_attempts: 2, initial: 10ms, on: [not_sent]}"
    Path("a.job.yaml").write_text(f"{JOB}    verify: log\n    effect: {effect}\n    retry: {retry}\n")
    with site(place) as here:
        targets(here.url)
        assert [ended(["run", "a.job.yaml"]) for _ in range(3)] == [0, 0, 0]
    assert len(place.log) == 3


def test_where_the_log_cannot_be_read_a_start_that_was_turned_away_is_in_doubt() -> None:
    place = Place(second=Answer(status=401, body='{"Message":"Authentication failed."}'), readable=False)
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml"]) == 4
        assert len(here.executes()) == 1
        Path("targets.yaml").write_text(
            Path("targets.yaml").read_text().replace("settle", "execute_method: post, settle")
        )
        place.second = Answer(status=401, body='{"Message":"Authentication failed."}')
        assert ended(["run", "a.job.yaml"]) == 4  # a gateway may have repeated the POST, too
        assert len(here.executes()) == 2
    assert place.log == []


def test_where_the_file_of_rows_is_damaged_nothing_starts_and_the_file_is_named(capsys: Capture) -> None:
    place = Place()
    Path(".runner").mkdir()
    Path(".runner/.rows.sqlite").write_text("no database at all, but some text that is long enough for one\n" * 20)
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml"]) == 3
        err = capsys.readouterr().err
        assert "error[E311]: the run ended here: its files cannot be written: " in err
        assert ".rows.sqlite: file is not a database\n   = hint: move this file away" in err
        assert place.log == []
        Path(".runner/.rows.sqlite").unlink()
        assert ended(["resume", "last"]) == 0
    assert len(place.log) == 1


def test_two_starts_for_one_call_are_reported_on_the_screen_and_in_every_report(capsys: Capture) -> None:
    place = Place(repeats=True)
    reports = ["--report-json", "report.json", "--report-junit", "junit.xml", "--report-jsonl", "events.jsonl"]
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml", *reports]) == 0
    ids = ", ".join(str(one["Id"]) for one in place.log)
    sentence = f"started 2 times for one call: {ids}"
    assert (row()["status"], row()["verified"], row()["process_id"]) == ("passed", None, None)
    shown = capsys.readouterr().out
    assert shown.count(f"warning: not verified: {sentence}") == 1, "at its step; the summary names the step"
    assert f"\n  warning: 1 step is not verified: `{row()['key']}`\n" in shown
    for report in reports[1::2]:
        assert sentence in Path(report).read_text()


@pytest.mark.parametrize(
    ("now", "owner", "status"),
    [
        ("integration", US, ("passed", "inferred")),
        ("colleague", THEM, ("unknown", None)),
        ("colleague", US, ("unknown", None)),
    ],
)
@pytest.mark.parametrize("verb", ["resume", "reconcile"])
def test_a_row_is_none_of_a_call_that_another_account_has_sent(
    verb: str, *, now: str, owner: str, status: tuple[str, str | None]
) -> None:
    place = Place(second=Answer(silent=True), owner=None)
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml"]) == 4
        place.start(owner=owner)
        place.owner = owner
        Path("targets.yaml").write_text(Path("targets.yaml").read_text().replace("integration", now))
        assert ended([verb, "last", "--report-json", "report.json"]) == (0 if status[0] == "passed" else 4)
    assert (row()["status"], row()["verified"]) == status


class Interrupted(Place):
    """The first call is not answered; at the next a process of `other` begins, and that of the call does not show."""

    other: str = US
    calls: int = 0

    def __call__(self, method: str, path: str) -> Answer:
        if "/VwProcessLib" in path and self.calls:
            return library("UsrOther")
        return super().__call__(method, path)

    def _execute(self) -> Answer:
        self.calls += 1
        if self.calls == 1:
            return Answer(silent=True)
        self.start(owner=self.other)
        return xml(1)


@pytest.mark.parametrize(("other", "status"), [(THEM, ("passed", True)), (US, ("unknown", None))])
def test_after_a_resume_with_another_account_only_rows_of_that_are_of_its_calls(
    other: str, status: tuple[str, bool | None]
) -> None:
    Path("a.job.yaml").write_text(f"{JOB}  - {{id: other, execute: {{process: UsrOther}}, verify: log}}\n")
    place = Interrupted(owner=None)
    place.other = other
    with site(place) as here:
        targets(here.url)
        assert ended(["run", "a.job.yaml", "--hold"]) == 4
        place.owner = THEM
        Path("targets.yaml").write_text(Path("targets.yaml").read_text().replace("integration", "colleague"))
        verdict = ["--step", "charge", "--as", "passed"]
        assert ended(["resume", "last", *verdict, "--report-json", "report.json"]) == (0 if status[1] else 4)
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    assert [(step["status"], step["verified"]) for step in run["steps"]] == [("passed", None), status]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (["run", "a.job.yaml"], ["rerun", "last"]),
        (["run", "a.job.yaml"], ["rerun", "last", "--failed"]),
        (["run", "a.job.yaml"], ["run", "a.job.yaml", "--last-failed"]),
        (["apply", "a.job.yaml"], ["apply", "a.job.yaml", "--retry", "failed"]),
    ],
)
def test_what_a_gateway_refused_after_it_had_begun_is_not_started_again_once_the_log_shows_it(
    first: list[str], again: list[str], capsys: Capture
) -> None:
    place = Place(second=Answer(status=403, body="<html><title>blocked</title></html>", kind="text/html"))
    with site(place) as here:
        targets(here.url)
        began = datetime.now(UTC)
        assert ended(first) == 1
        place.start(began=began)
        assert ended(again) == 4
        assert len(here.executes()) == 1
        out = capsys.readouterr().out
        assert "made the call, which was refused with 403; the process log shows a start that may be it" in out
        assert "runner run a.job.yaml -t here --last-failed\n" in out or first[0] == "apply"
        assert ended(["resume", "last", "--step", "charge", "--as", "failed"]) == 1
        assert ended(again) == 0
        assert len(here.executes()) == 2
