"""Every key of a target and of a step, with a value that is nobody's default: it arrives where it counts.

A key that is new has to be in a table here. A value that is lost on the way is a default in the place of what somebody
has written, and no other mistake shows that.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sites import NOTHING, Answer, Site, site, xml

from runner.cli.main import ended
from runner.foundation.values import Json, JsonObject
from runner.job.actions import ACTIONS
from runner.job.build import job as build_job
from runner.job.model import Expectation, Retry, RetryOn, Step
from runner.project.sites import ReadySite, Sites
from runner.reading.document import Document
from runner.reading.load import load
from runner.service.site import ElementIdPlace, ExecuteMethod
from runner.targets.build import targets as build_targets
from runner.targets.keys import KEYS
from runner.targets.model import Allow, Readiness, SiteTarget

SCHEMA = Path(__file__).parents[2] / "schema"
AUTHORITY = (Path(__file__).parents[1] / "service/certificates/authority.pem").read_text()
TARGET = """
    url: {url}/there
    plain_http: true
    identity_url: http://odd-is.example
    runtime: net
    element_call: query
    execute_method: post
    timeout: 7s
    settle: 3s
    ca_file: odd.pem
    proxy: http://odd-proxy:77
    auth: {{username: odd-user, password: odd-pa55word}}
    headers: {{X-Odd: odd-header}}
    rate: 77/s
    protected: true
    allow: {{processes: [UsrOdd], effects: [read]}}
    ready: {{for: 9s, every: 20ms, catalog: odd.catalog.yaml}}
"""
JOB = """runner: 1
name: odd
target: here
steps:
  - execute: {process: UsrOdd, result: Out}
    effect: read
  - element: 0b1c3d5e-0000-4000-8000-000000000001
    effect: read
"""


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What a run has sent and stored, and what its site was made of."""

    sent: Site
    stored: JsonObject
    target: SiteTarget
    ready: ReadySite

    @property
    def calls(self) -> list[str]:
        return [line for line in self.sent.asked if "ProcessEngineService" in line]


def is_seconds(name: str, seconds: float) -> Callable[[Arrived], bool]:
    def found(arrived: Arrived) -> bool:
        stored = arrived.stored["seconds"]
        return isinstance(stored, dict) and stored[name] == seconds

    return found


TARGET_KEYS: dict[str, Callable[[Arrived], bool]] = {
    "url": lambda arrived: all(" /there/" in line for line in arrived.sent.asked),
    "plain_http": lambda arrived: arrived.target.plain_http,
    "identity_url": lambda arrived: arrived.ready.site.identity_url == "http://odd-is.example",
    "runtime": lambda arrived: arrived.calls != [] and not any("/0/" in line for line in arrived.calls),
    "element_call": lambda arrived: (
        any("ExecProcElByUId?ProcessElementUID=" in line for line in arrived.calls)
        and arrived.ready.site.calls.element_call is ElementIdPlace.QUERY
    ),
    "execute_method": lambda arrived: (
        any(line.startswith("POST ") and "UsrOdd/Execute" in line for line in arrived.calls)
        and arrived.ready.site.calls.execute_method is ExecuteMethod.POST
    ),
    "timeout": lambda arrived: is_seconds("attempt", 7.0)(arrived) and arrived.ready.site.calls.timeout == 7.0,
    "settle": is_seconds("settle", 3.0),
    "ca_file": lambda arrived: arrived.ready.site.authorities == AUTHORITY.strip(),
    "proxy": lambda arrived: arrived.ready.site.proxy == "http://odd-proxy:77",
    "auth": lambda arrived: [json.loads(body)["UserPassword"] for body in arrived.sent.sign_ins] == ["odd-pa55word"],
    "headers": lambda arrived: {headers["X-Odd"] for headers in arrived.sent.headers} == {"odd-header"},
    "rate": lambda arrived: arrived.ready.site.calls.rate == 77.0,
    "protected": lambda arrived: arrived.target.protected,
    "allow": lambda arrived: arrived.target.allow == Allow(processes=("UsrOdd",), effects=("read",)),
    "ready": lambda arrived: (
        arrived.target.ready == Readiness(longest=9.0, every=0.02, catalogue=Path("odd.catalog.yaml"))
    ),
}


def answer(method: str, path: str) -> Answer:
    del method
    return xml(1) if "ProcessEngineService" in path else NOTHING


def read(name: str) -> Document:
    found = load(name, Path(name).read_bytes())
    assert isinstance(found, Document)
    return found


def write_targets(url: str, *, but: tuple[str, ...] = ()) -> None:
    lines = [line for line in TARGET.format(url=url).splitlines() if not line.strip().startswith(but or "!")]
    Path("targets.yaml").write_text("\n".join(["runner: 1", "targets:", "  here:", *lines, ""]))


@pytest.fixture
def arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arrived:
    """A run with all keys but those that keep it from the site here; with these its target is only made ready."""
    monkeypatch.chdir(tmp_path)
    Path("odd.pem").write_text(AUTHORITY)
    Path("odd.job.yaml").write_text(JOB)
    with site(answer) as served, Sites() as sites:
        write_targets(served.url, but=("proxy", "ready"))
        assert ended(["run", "odd.job.yaml", "--confirm", "here"]) == 0
        write_targets(served.url)
        target = build_targets(read("targets.yaml"), beside=Path())["here"]
        assert isinstance(target, SiteTarget)
        (stored,) = Path(".runner/runs").glob("*/plan.json")
        return Arrived(sent=served, stored=json.loads(stored.read_text()), target=target, ready=sites.of(target))


def test_every_key_of_a_target_arrives(arrived: Arrived) -> None:
    assert sorted([*TARGET_KEYS, "sandbox"]) == sorted(KEYS)
    assert [key for key, arrives in TARGET_KEYS.items() if not arrives(arrived)] == []


def test_a_target_that_is_protected_or_does_not_allow_it_is_refused_with_every_other_key_beside(
    arrived: Arrived, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(arrived.sent.asked)
    assert ended(["run", "odd.job.yaml"]) == 6
    Path("odd.job.yaml").write_text(JOB.replace("UsrOdd", "UsrOther"))
    assert ended(["run", "odd.job.yaml", "--confirm", "here"]) == 6
    assert "E161" in capsys.readouterr().err
    assert len(arrived.sent.asked) == before


STEP_KEYS: dict[str, tuple[Json, Callable[[Step], Json]]] = {
    "id": ("odd", lambda step: step.id),
    "name": ("odd name", lambda step: step.name),
    "help": ("odd help", lambda step: step.help),
    "if": ("inputs.odd", lambda step: step.condition),
    "for_each": (["odd"], lambda step: step.for_each),
    "effect": ("idempotent", lambda step: step.effect),
    "retry": (
        {"max_attempts": 7, "initial": "2s", "factor": 3, "max": "11s", "jitter": 0.4, "on": ["refused"]},
        lambda step: (
            step.retry
            == Retry(max_attempts=7, initial=2.0, factor=3.0, max=11.0, jitter=0.4, on=frozenset({RetryOn.REFUSED}))
        ),
    ),
    "timeout": ("13s", lambda step: [step.timeout, step.follow]),
    "verify": ("log", lambda step: step.verify),
    "expect": (
        [{"that": "result == 5", "message": "odd"}],
        lambda step: step.expect == (Expectation(that="result == 5", message="odd"),),
    ),
    "outputs": ({"odd": "result"}, lambda step: dict(step.outputs)),
    "secret": (True, lambda step: step.secret),
    "on_failure": ("continue", lambda step: step.on_failure),
    "undo": (
        {"execute": {"process": "UsrUndone"}, "timeout": "17s"},
        lambda step: None if step.undo is None else [undone.timeout for undone in step.undo.steps],
    ),
}
"""Of each key what is written, and what the step holds then."""
ARRIVES: dict[str, Json] = {"retry": True, "expect": True, "timeout": [13.0, 13.0], "undo": [17.0]}
"""Where that is not what is written."""


def steps_of(step: JsonObject, defaults: JsonObject | None = None) -> Step:
    written = {"runner": 1, "name": "odd", "defaults": defaults or {}, "steps": [step]}
    document = load("odd.job.yaml", json.dumps(written).encode())
    assert isinstance(document, Document)
    return build_job(document).steps[0]


def test_every_key_of_a_step_arrives() -> None:
    schema = json.loads((SCHEMA / "job.schema.json").read_text())["$defs"]["step"]["properties"]
    assert STEP_KEYS.keys() == schema.keys() - ACTIONS.keys()
    usual = steps_of({"execute": {"process": "UsrOdd"}})
    odd = steps_of({"execute": {"process": "UsrOdd"}, **{key: written for key, (written, _) in STEP_KEYS.items()}})
    for key, (written, found) in STEP_KEYS.items():
        assert found(odd) == ARRIVES.get(key, written), key
        assert found(usual) != ARRIVES.get(key, written), f"{key} is odd"


@pytest.mark.parametrize(
    ("key", "of_all", "of_step", "found"),
    [
        ("timeout", "13s", "17s", lambda step: {13.0: "13s", 17.0: "17s"}.get(step.timeout)),
        ("verify", "log", "none", lambda step: step.verify),
        ("on_failure", "continue", "ignore", lambda step: step.on_failure),
        ("retry", {"factor": 3}, {"factor": 4}, lambda step: {"factor": step.retry.factor}),
    ],
)
def test_what_a_step_says_counts_before_the_defaults_of_its_job(
    key: str, of_all: Json, of_step: Json, found: Callable[[Step], Json]
) -> None:
    step: JsonObject = {"execute": {"process": "UsrOdd"}}
    assert found(steps_of(step)) not in (of_all, of_step)
    assert found(steps_of(step, {key: of_all})) == of_all
    assert found(steps_of({**step, key: of_step}, {key: of_all})) == of_step
