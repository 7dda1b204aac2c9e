"""Processes of different shapes, recorded from one sandbox and played in another: both tell the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sandboxes import serve_sandbox

from runner.cli.main import ended
from runner.foundation.values import Json, items, record

pytestmark = pytest.mark.slow

IDS = [f"{number}d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11" for number in range(8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A double, what starts it, and with what exit code; `more` are the steps after the start."""

    double: str
    action: str
    more: str = ""
    code: int = 0


SHAPES = {
    "plain": Shape(
        double="""
parameters: {Name: {type: text}, Greeting: {type: text, direction: out}, Length: {type: integer, direction: out}}
activities:
  - set: {Greeting: "Hello, {{ parameters.Name }}", Length: "{{ parameters.Name | length }}"}
""",
        action="run: {process: UsrX, parameters: {Name: 'O''Hara \"{\\{ # é'}, results: [Greeting, Length]}",
    ),
    "types": Shape(
        double=f"""
parameters:
  Rate: {{type: decimal, direction: both}}
  Price: {{type: money, direction: both}}
  Open: {{type: boolean, direction: both}}
  Owner: {{type: lookup, direction: both}}
  Key: {{type: guid, direction: out}}
  At: {{type: datetime, direction: both}}
  Day: {{type: date, direction: both}}
  Hour: {{type: time, direction: both}}
activities:
  - set: {{Key: {IDS[0]}}}
""",
        action=f"""run:
      process: UsrX
      parameters: {{Rate: 12.25, Price: "99.90", Open: true, Owner: {IDS[1]}, At: "2026-12-31T23:59:59Z",
        Day: "2026-12-31", Hour: "18:45:00"}}
      results: [Rate, Price, Open, Owner, Key, At, Day, Hour]""",
    ),
    "records": Shape(
        double="""
parameters: {Rows: {type: records, direction: both, items: {Id: guid, Name: text, Count: integer}}}
activities: []
""",
        action=f"""run:
      process: UsrX
      parameters: {{Rows: [{{Id: {IDS[0]}, Name: "{{{{ '{{{{' }}}} yes: no", Count: 3}}, {{Id: {IDS[1]}, Name: ""}}]}}
      results: [Rows]""",
    ),
    "failed": Shape(
        double="""
parameters: {Seen: {type: integer, direction: out}}
activities:
  - set: {Seen: 3}
  - fail: 'No contact "{{ "{{" }} parameters.Name"'
""",
        action="run: {process: UsrX, results: [Seen]}",
        code=1,
    ),
    "failed_at_an_element": Shape(
        double=f"""
activities:
  - element: {{uid: {IDS[0]}, caption: Read the contact, waits: false}}
  - element: {{uid: {IDS[1]}, caption: 'Is it "open"?', waits: false}}
  - fail: {{text: It is closed, uid: {IDS[2]}, caption: Close it}}
""",
        action="run: {process: UsrX}",
        code=1,
    ),
    "parked": Shape(
        double=f"""
parameters: {{First: {{type: guid, direction: out}}, Score: {{type: integer, direction: out}}}}
activities:
  - element: {{uid: {IDS[0]}, caption: Read the contact, waits: false}}
  - set: {{Score: 12}}
  - element: {{uid: {IDS[1]}, caption: Approve, into: First}}
  - element: {{uid: {IDS[2]}, caption: Never reached}}
""",
        action="run: {process: UsrX, results: [First, Score], until: started}",
    ),
    "executed": Shape(
        double=f"""
parameters: {{First: {{type: guid, direction: out}}, Second: {{type: guid, direction: internal}}}}
activities:
  - element: {{uid: {IDS[3]}, caption: Approve, into: First}}
  - element: {{uid: {IDS[4]}, caption: Tell the owner, waits: false}}
""",
        action="run: {process: UsrX, results: [First], until: started}",
        more="""
  - element: "{{ steps.start.result.First }}"
  - wait: {process_id: "{{ steps.start.process_id }}", every: 20ms}
""",
    ),
    "executed_and_failed": Shape(
        double=f"""
parameters: {{First: {{type: guid, direction: out}}, Level: {{type: integer, direction: both}}}}
activities:
  - element: {{uid: {IDS[3]}, caption: Approve, into: First}}
  - element: {{uid: {IDS[4]}, caption: Approve, into: First}}
  - fail: The level is too low
""",
        action="run: {process: UsrX, results: [First], until: started}",
        more=f"""
  - element: {{of: "{{{{ steps.start.process_id }}}}", name: "{IDS[3]}", parameters: {{Level: 2}}}}
  - element: {{of: "{{{{ steps.start.process_id }}}}", name: "{IDS[4]}"}}
  - wait: {{process_id: "{{{{ steps.start.process_id }}}}", every: 20ms}}
""",
        code=1,
    ),
    "background": Shape(
        double="""
parameters: {Early: {type: integer, direction: out}}
activities:
  - set: {Early: 7}
  - background: true
  - delay: 50ms
""",
        action="run: {process: UsrX, results: [Early]}",
    ),
    "under_way": Shape(
        double="""
activities:
  - background: true
  - delay: 1h
""",
        action="run: {process: UsrX, until: started}",
    ),
    "executed_for_its_result": Shape(
        double="""
parameters: {Code: {type: text, direction: in}, Answer: {type: integer, direction: out}}
activities:
  - set: {Answer: 42}
""",
        action="execute: {process: UsrX, parameters: {Code: a}, result: Answer}",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOfRun:
    """What a site tells of one run."""

    status: Json
    error: Json
    way: list[tuple[Json, Json]]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        user = {"UserName": "Supervisor", "UserPassword": "Supervisor"}
        client.post("/ServiceModel/AuthService.svc/Login", json=user)
        client.headers.update({"BPMCSRF": client.cookies["BPMCSRF"], "ForceUseSession": "true"})
        yield client


def log_of_run(client: httpx.Client, process: str) -> LogOfRun:
    row = client.get(f"/0/odata/SysProcessLog({process})").json()
    query = {"$filter": f"SysProcess/Id eq {process}", "$orderby": "StartDate"}
    elements = client.get("/0/odata/SysProcessElementLog", params=query).json()["value"]
    return LogOfRun(
        status=row["StatusId"],
        error=row["ErrorDescription"],
        way=[(one["Caption"], one["StatusId"]) for one in elements],
    )


def run(job: Path, code: int) -> tuple[str, dict[str, Json]]:
    """The process that a job has started, and what that step gave."""
    assert ended(["run", str(job), "-t", "here", "-q", "--report-json", "report.json"]) == code
    step = record(items(json.loads(Path("report.json").read_text())["runs"][0]["steps"])[0])
    result = step["result"]
    return str(step["process_id"]), result if isinstance(result, dict) else {"Answer": result}


def written_double(folder: Path, shape: Shape) -> None:
    folder.mkdir()
    (folder / "UsrX.process.yaml").write_text(f"runner: 1\nprocess: UsrX\n{shape.double}")


def job_of(shape: Shape) -> Path:
    file = Path("a.job.yaml")
    file.write_text(f"runner: 1\nname: a\nsteps:\n  - id: start\n    {shape.action}\n    effect: once\n{shape.more}")
    return file


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_recording_is_played_in_another_sandbox_as_it_happened(
    shape: Shape, capsys: pytest.CaptureFixture[str]
) -> None:
    written_double(Path("site"), shape)
    with serve_sandbox(Path("site")) as site, signed_in(site.url) as client:
        Path("targets.yaml").write_text(site.targets())
        process, results = run(job_of(shape), shape.code)
        assert ended(["record", process, "-t", "here", "--out", "specs/sandbox", "--keep-values"]) == 0
        before = log_of_run(client, process)
    assert "wrote specs/sandbox/UsrX.process.yaml\nwrote specs/recorded-usrx.job.yaml\n" in capsys.readouterr().out

    Path("specs/targets.yaml").write_text("runner: 1\ntargets: {sandbox: {sandbox: sandbox}}\n")
    assert ended(["validate", "specs", "-t", "sandbox"]) == 0
    assert "warning" not in "".join(capsys.readouterr())
    with serve_sandbox(Path("specs/sandbox")) as other, signed_in(other.url) as client:
        Path("specs/targets.yaml").write_text(other.targets())
        played, again = run(Path("specs/recorded-usrx.job.yaml"), shape.code)
        after = log_of_run(client, played)

    assert after == before
    assert {code: one for code, one in again.items() if code != "First"} == {
        code: one for code, one in results.items() if code != "First"
    }
    assert again.keys() == results.keys()


@pytest.mark.parametrize("name", ["types", "records", "failed"])
def test_with_invented_values_it_ends_the_same_with_values_of_the_same_types(name: str) -> None:
    shape = SHAPES[name]
    written_double(Path("site"), shape)
    with serve_sandbox(Path("site")) as site, signed_in(site.url) as client:
        Path("targets.yaml").write_text(site.targets())
        process, results = run(job_of(shape), shape.code)
        assert ended(["record", process, "-t", "here", "--out", "specs/sandbox"]) == 0
        before = log_of_run(client, process)

    with serve_sandbox(Path("specs/sandbox")) as other, signed_in(other.url) as client:
        Path("specs/targets.yaml").write_text(other.targets())
        played, again = run(Path("specs/recorded-usrx.job.yaml"), shape.code)
        after = log_of_run(client, played)

    assert (after.status, after.way) == (before.status, before.way)
    assert {code: type(one) for code, one in again.items()} == {code: type(one) for code, one in results.items()}
