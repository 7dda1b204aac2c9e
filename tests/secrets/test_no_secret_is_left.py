"""No secret is left on disk or on the screen: of one event, and of whole runs against a site that echoes what it gets.

The spellings are made here by the standard library, and not by the code that looks for them.
"""

import base64
import html
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from canaries import left, spelled
from captured import Capture
from examples import some
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from journals import EVENTS, RESULTS, new_journal, read, reopened
from sandboxes import serve_sandbox
from sites import NOTHING, Answer, Site, site, xml

from runner.cli.main import ended
from runner.foundation.values import Json
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Check,
    RunFinished,
    RunStatus,
    StepFinished,
    Trouble,
)
from runner.runs.evidence import Difference, SentRequest
from runner.runs.safe_events import LARGE
from runner.runs.status import Status
from runner.secrets.redact import SHORTEST, Secrets

pytestmark = pytest.mark.slow

TOKEN = "tö k/e+n'<\"7&>"
PASSWORD = "pä ss/w+rd'<\"1&>"
LOGIN = "integration-üser"


def events_with(text: str) -> list[AnyEvent]:
    """Events of every kind that holds what came from outside, with this text in all its places."""
    trouble = Trouble(code="E205", message=f"the service said: {text}", hint=f"see http://site/?a={text}&b=1")
    value: Json = {text: [text, {"inner": f"({text})"}], "beside": 1}
    return [
        CallSent(
            key="a",
            t=0.0,
            effect="once",
            call={"kind": "execute", "parameters": {"P": value}},
            watermark={"started": text},
            request=SentRequest(
                method="POST",
                path=f"/odata/Contact({quote(text, safe='')})?$filter={quote(text)}",
                query=(("P", text), ("Q", json.dumps(value))),
                body={"parameterValues": [{"name": "P", "value": json.dumps(value)}, {"name": "Q", "value": value}]},
            ),
        ),
        CallAnswered(key="a", t=1.0, value=value),
        AttemptFailed(key="a", t=1.0, kind="refused", error=trouble, body=trouble.message),
        Asked(key="a", t=1.0, value={"as": "passed", "result": value}),
        StepFinished(
            key="a",
            t=1.0,
            status=Status.FAILED,
            seconds=1.0,
            attempts=1,
            process_id=text,
            result=value,
            outputs={"out": value},
            checks=(
                Check(
                    that=f"result == {text}",
                    passed=False,
                    message=text,
                    differences=(Difference(source=text, sign="==", expected=value, actual=text, at=0, among=1),),
                ),
            ),
            warnings=(text,),
            error=trouble,
        ),
        RunFinished(t=1.0, status=RunStatus.FAILED, exit_code=1, outputs={"out": value}, error=trouble),
    ]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ue000\ue001…"), max_size=5)
strong = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ue000\ue001…") | st.sampled_from("ab /+'\"<&%=\\ü"),
    min_size=SHORTEST,
    max_size=14,
).map(lambda text: f"{text}§")  # so that it is no word of ours


@settings(max_examples=some(40), deadline=None, phases=[Phase.generate])
@given(secret=strong, before=texts, behind=texts)
def test_no_event_leaves_a_secret_on_disk_and_each_is_read_back_as_it_was(
    secret: str, before: str, behind: str
) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "run"
        journal = new_journal(folder, knowing(secret))
        written = "".join(before + way + behind for way in spelled(secret).values())
        as_written = []
        for event in events_with(written):
            journal.append(event)
            as_written.append(journal.as_written(event))
        journal.close()
        assert [line.event for line in read(folder).lines] == as_written
        for line in (folder / EVENTS).read_text().split("\n"):
            assert not left(without_our_own(line), [secret])
        again = reopened(folder, knowing(secret), now=lambda: "")
        values = [line.event.value for line in again.lines if isinstance(line.event, CallAnswered | Asked)]
        expected = [event.value for event in events_with(written) if isinstance(event, CallAnswered | Asked)]
        assert [again.value_of(value) for value in values] == expected
        again.close()


def without_our_own(line: str) -> str:
    """A line of the journal without what is ours in it: the first `prev` is full of `000000`, which may be a secret."""
    fields = json.loads(line or "{}")
    return json.dumps({name: value for name, value in fields.items() if name not in {"v", "seq", "at", "prev", "t"}})


def test_a_large_answer_leaves_none_in_its_own_file(tmp_path: Path) -> None:
    journal = new_journal(tmp_path / "run", knowing(PASSWORD), now=lambda: "2026-01-31T09:00:00.000Z")
    answer: Json = ["x" * LARGE, " ".join(spelled(PASSWORD).values())]
    journal.append(CallAnswered(key="a", t=1.0, value=answer))
    journal.close()
    (file,) = (tmp_path / "run" / RESULTS).iterdir()
    assert not left(file.read_text(errors="replace"), [PASSWORD])
    again = reopened(tmp_path / "run", knowing(PASSWORD), now=lambda: "")
    event = again.lines[0].event
    assert isinstance(event, CallAnswered)
    assert again.value_of(event.value) == answer


def knowing(secret: str) -> Secrets:
    secrets = Secrets()
    secrets.add("inputs.token", secret)
    return secrets


JOB = """runner: 1
name: echoes
target: here
inputs: {token: {type: string, secret: true}}
vars: {made: "{{ inputs.token | b64encode }}", url: "x?t={{ inputs.token | urlencode }}"}
defaults: {verify: none, on_failure: continue}
steps:
  - id: result
    execute: {process: UsrResult, parameters: {T: "{{ inputs.token }}", M: "{{ vars.made }}"}, result: Out}
    outputs: {all: result, one: 'result["plain of 0"]'}
    expect: [result == "none", 'result["url of 0"] == vars.url', '"nothing" in result["json of 1"]']
  - id: handed_on
    execute: {process: UsrHandedOn, parameters: {J: '{{ steps.result.result["plain of 0"] | json }}'}}
  - {id: fault, execute: {process: UsrFault}}
  - {id: message, execute: {process: UsrMessage}}
  - {id: redirect, effect: idempotent, execute: {process: UsrRedirect}}
  - {id: page, effect: read, execute: {process: UsrPage}, retry: {max_attempts: 2, initial: 1ms, on: [unanswered]}}
  - {id: nonsense, effect: read, execute: {process: UsrNonsense, result: Out}}
  - {id: cut, effect: read, execute: {process: UsrCut}}
  - {id: row, query: {entity: Contact, filter: "Name eq {{ inputs.token | odata }}"}}
  - {id: ask, confirm: "send {{ inputs.token }} with {{ vars.url }}?"}
  - {id: element, element: {uid: "{{ inputs.token }}"}}
outputs: {all: steps.result.result, made: vars.made}
finally:
  - {id: shut, execute: {process: UsrShut, parameters: {P: "{{ vars.made }}"}}}
"""
KNOWN = [TOKEN, PASSWORD, LOGIN]
ECHOED = {f"{way} of {number}": text for number, one in enumerate(KNOWN) for way, text in spelled(one).items()}
PIECES = ("k/e+n", "ss/w+rd")
"""Parts of both, which no half of a spelling leaves either."""
ALL = " | ".join(ECHOED.values())
AROUND = base64.b64encode(f"user:{TOKEN}:{PASSWORD}".encode()).decode()


def echo(method: str, path: str) -> Answer:
    """Gives back every spelling of everything that is secret, each time in another way."""
    del method
    answered = {
        "UsrResult": xml({**ECHOED, "around": AROUND, **dict.fromkeys(ECHOED.values(), 1)}),
        "UsrFault": Answer(status=500, body=f"<Fault><Reason>{html.escape(ALL)}</Reason></Fault>", kind="text/xml"),
        "UsrMessage": Answer(status=400, body=json.dumps({"Message": ALL, "StackTrace": ALL})),
        "UsrRedirect": Answer(status=302, headers=(("Location", f"/there?t={quote(TOKEN)}&p={quote_plus(PASSWORD)}"),)),
        "UsrPage": Answer(status=502, body=f"<title>{html.escape(PASSWORD)}</title>{ALL}", kind="text/html"),
        "UsrNonsense": Answer(body=f"{{{ALL}", kind="application/xml"),
        "UsrCut": Answer(body=ALL, cut=True),
    }
    process = path.split("/")[4] if "/Execute" in path else ""
    if "odata" in path:
        return Answer(status=400, body=json.dumps({"error": {"code": "", "message": f"{path}: {ALL}"}}))
    return answered.get(process, xml(ALL) if process else NOTHING)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("CREATIO_", "CLIO_", "GITHUB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", TOKEN)
    monkeypatch.setenv("HERE_PASSWORD", PASSWORD)
    monkeypatch.setenv("HERE_USER", LOGIN)
    with site(echo) as served:
        Path("targets.yaml").write_text(
            f"runner: 1\ntargets:\n  here:\n    url: {served.url}\n    execute_method: post\n"
            '    auth: {username: "{{ env.HERE_USER }}", password: "{{ env.HERE_PASSWORD }}"}\n'
        )
        Path("a.job.yaml").write_text(JOB)
        yield served


REPORTS = [argument for kind in ("json", "junit", "jsonl") for argument in (f"--report-{kind}", f"report.{kind}")]


def test_a_run_whose_site_echoes_every_secret_leaves_none_of_them(here: Site, capfd: Capture) -> None:
    assert ended(["run", "a.job.yaml", "--yes", "-v", *REPORTS]) == 3
    assert_nothing_is_left(capfd)
    assert [line for line in here.executes() if "UsrHandedOn" in line]


@pytest.mark.parametrize("at", ["handed_on", "cut", "row"])
def test_a_resumed_run_fills_in_what_was_cut_and_leaves_none_either(here: Site, capfd: Capture, at: str) -> None:
    ended(["run", "a.job.yaml", "--yes", "-q"])
    cut_before_the_end_of(at)
    for file in [*Path(".runner").glob(".rows.*"), *Path("state").rglob("rows-*")]:
        file.unlink()  # else these events are an older copy
    before = len(here.executes())
    assert ended(["resume", "last", "--yes", "-v", *REPORTS]) in {3, 4}
    for verb in (["show", "last"], ["runs"], ["report", "last", *REPORTS], ["reconcile", "last"]):
        ended(verb)
    assert_nothing_is_left(capfd)
    assert len(here.executes()) > before
    assert base64.b64encode(TOKEN.encode()).decode() in here.executes()[-1]


def cut_before_the_end_of(key: str) -> None:
    """Let the run have broken off before it had judged what this step was answered."""
    (folder,) = Path(".runner/runs").iterdir()
    lines = (folder / EVENTS).read_text().splitlines(keepends=True)
    events = [json.loads(line) for line in lines]
    end = next(n for n, event in enumerate(events) if (event["type"], event.get("key")) == ("step.finished", key))
    (folder / EVENTS).write_text("".join(lines[:end]))
    for report in ("report.json", "junit.xml"):
        (folder / report).unlink()
    for rows in (*Path(".runner").glob(".rows.sqlite*"), *Path(os.environ["XDG_STATE_HOME"]).rglob("rows-*.sqlite*")):
        rows.unlink()  # they know of later starts


def assert_nothing_is_left(capfd: Capture) -> None:
    """Of what was written and said, but for what a person wrote into files of their own: which is none of it."""
    files = [file for file in Path().rglob("*") if file.is_file()]
    assert {file.name for file in files} >= {"events.jsonl", "plan.json", "report.json"}
    for file in files:
        assert not left(file.read_text(errors="replace"), KNOWN), file
        assert AROUND not in file.read_text(errors="replace"), file
        assert not [piece for piece in PIECES if piece in file.read_text(errors="replace")], file
    said = capfd.readouterr()
    assert not [piece for piece in PIECES if piece in said.out + said.err]
    assert "✓" in said.out
    assert not left(said.out + said.err, KNOWN)


COOKIES = """runner: 1
name: cookies
target: here
defaults: {verify: none, on_failure: continue}
steps:
  - {id: first, execute: {process: UsrFirst, result: Out}, expect: [result == "none"]}
  - {id: lost, effect: read, execute: {process: UsrLost, result: Out}}
  - {id: last, execute: {process: UsrLast, result: Out}, expect: [result == "none"]}
"""


def test_a_cookie_that_comes_with_any_answer_is_a_secret_before_that_answer_is_written(
    here: Site, capfd: Capture
) -> None:
    set_so_far: list[str] = []

    def echo_cookies(method: str, path: str) -> Answer:
        del method
        set_so_far.append(f"s3ss/ion={len(set_so_far)}")
        name = "BPMSESSIONID" if len(set_so_far) % 2 else "TS01"
        headers = (("Set-Cookie", f'{name}="{set_so_far[-1]}"; path=/; HttpOnly'),)
        answered = xml(" | ".join(set_so_far[-8:]))
        is_lost = "UsrLost" in path
        return Answer(status=401 if is_lost else 200, body=answered.body, kind=answered.kind, headers=headers)

    here.answer = echo_cookies
    Path("a.job.yaml").write_text(COOKIES)
    assert ended(["run", "a.job.yaml", "-v", *REPORTS]) == 3
    said = capfd.readouterr()
    assert len(set_so_far) > 3
    written = {file: file.read_text(errors="replace") for file in Path().rglob("*") if file.is_file()}
    assert not [file for file, text in written.items() if left(text, set_so_far)]
    assert "s3ss/ion" not in said.out + said.err
    assert "result" in said.out


@pytest.mark.parametrize("action", ["run: {process: UsrX, results: [Key]}", "execute: {process: UsrX, result: Key}"])
def test_the_result_of_a_secret_step_is_hidden_in_the_error_of_its_own_process(
    action: str, capfd: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/UsrX.process.yaml").write_text(
        "runner: 1\nprocess: UsrX\nparameters: {Key: {type: text, direction: out}}\n"
        "activities:\n  - set: {Key: q7kXw9-Lm3zPt5}\n  - fail: q7kXw9-Lm3zPt5 is not known\n"
    )
    with serve_sandbox(tmp_path / "site") as here:
        Path("targets.yaml").write_text(here.targets())
        Path("a.job.yaml").write_text(f"runner: 1\nname: a\nsteps:\n  - {{id: a, secret: true, {action}}}\n")
        assert ended(["run", "a.job.yaml", "-t", "here", "-v", "--report-html", "a.html"]) == 1
    printed = capfd.readouterr()
    assert "*** is not known" in printed.out + printed.err
    texts = [
        printed.out,
        printed.err,
        *(file.read_text() for file in [*Path(".runner").rglob("*.json*"), Path("a.html")]),
    ]
    assert [text for text in texts if "q7kXw9" in text] == []
