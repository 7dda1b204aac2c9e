"""What differs between two runs, by their events alone."""

import json
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from runner.reports.changes import ComparedRun, Sameness
from runner.reports.diff import SAME, RunDifferences, as_json, compare, text
from runner.runs.events import (
    AnyEvent,
    CallSent,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepStarted,
    Trouble,
)
from runner.runs.evidence import SentRequest, StoredValue
from runner.runs.result import fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Start = Callable[..., RunStarted]
ONE, TWO = "11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OTHER, ANOTHER = "99999999-2222-3333-4444-555555555555", "ffffffff-bbbb-cccc-dddd-eeeeeeeeeeee"


@pytest.fixture
def run(chain: Chain, start: Start) -> Callable[..., ComparedRun]:
    """A run of one step; `ending` are fields of its end."""

    def made(
        sent: StoredValue = None,
        *,
        inputs: StoredValue = None,
        key: str = "read",
        source: str | None = None,
        files: dict[str, str] | None = None,
        request: SentRequest | None = None,
        effect: str = "once",
        **ending: StoredValue,
    ) -> ComparedRun:
        row = Row(key=key, id=key, name="Read", kind="execute", section=Section.STEPS, index=None, line=3)
        fields = {"status": Status.PASSED, "seconds": 0.1, "attempts": 1, **ending}
        events: list[AnyEvent] = [
            start(inputs=inputs or {}, **({} if source is None else {"source": source})),
            StepStarted(row=row, t=0.0),
            CallSent(t=0, key=key, effect="read", call={"kind": "read_elements"}),
            CallSent(t=0, key=key, effect=effect, call={"kind": "execute", "parameters": sent}, request=request),
            StepFinished(key=key, t=1.0, **fields),
            RunFinished(t=1.0, status=RunStatus.PASSED, exit_code=0),
        ]
        lines = chain(events)
        return ComparedRun(result=fold(lines), lines=lines, files=files or {})

    return made


def differences(found: RunDifferences) -> list[str]:
    return [line.strip() for line in text(found).splitlines()[2:]]


def test_ids_that_mean_one_another_everywhere_and_moments_are_the_same(run: Callable[..., ComparedRun]) -> None:
    first = run({"Id": ONE, "At": "2026-01-31T09:00:00Z"}, result=[ONE, TWO, "at 2026-01-31 09:00:00.123"])
    second = run(
        {"Id": OTHER, "At": "2026-02-01T10:30:00+01:00"}, result=[OTHER.upper(), ANOTHER, "at 2026-02-01 10:00"]
    )
    assert differences(compare(first, second)) == [SAME.strip()]


def test_an_id_that_means_two_others_is_a_difference(run: Callable[..., ComparedRun]) -> None:
    first, second = run({"Id": ONE}, result=[ONE]), run({"Id": OTHER}, result=[ANOTHER])
    assert differences(compare(first, second)) == ["read", f'result[0]: "{ONE}" → "{ANOTHER}"', "1 difference"]
    first, second = run({"Id": ONE}, result=[TWO]), run({"Id": OTHER}, result=[OTHER])
    assert differences(compare(first, second)) == ["read", f'result[0]: "{TWO}" → "{OTHER}"', "1 difference"]


def test_what_was_sent_and_what_came_back_are_compared_by_path(run: Callable[..., ComparedRun]) -> None:
    first = run({"Name": "Ada", "Age": 1}, inputs={"n": 1}, result={"a": [1, 2], "b": True, "c": None})
    second = run({"Name": "Eve", "Age": 1.0}, inputs={"n": 2}, result={"a": [1], "b": 1})
    assert differences(compare(first, second)) == [
        "the inputs changed: n",
        "what was sent changed: read",
        "inputs.n: 1 → 2",
        "read",
        'sent.parameters.Name: "Ada" → "Eve"',
        "result.a[1]: 2 → nothing",
        "result.b: true → 1",
        "result.c: null → nothing",
        "5 differences",
    ]


def test_five_differences_of_a_result_are_shown_and_the_rest_is_counted(run: Callable[..., ComparedRun]) -> None:
    lines = differences(compare(run(result=list(range(9))), run(result=list(range(1, 10)))))
    assert lines[1:] == [
        *(f"result[{at}]: {at} → {at + 1}" for at in range(5)),
        "and 4 more in what was sent and its result",
        "9 differences",
    ]


def test_how_a_row_ended_is_compared_with_its_reason_its_proof_and_its_attempts(
    run: Callable[..., ComparedRun],
) -> None:
    trouble = Trouble(code="E201", message="result is 2")
    failed = run(status=Status.FAILED, error=trouble, verified=False, attempts=2)
    assert differences(compare(run(verified=True), failed)) == [
        "read",
        "status: passed → failed",
        "verified: true → false (the process log shows that it failed)",
        "attempts: 1 → 2",
        "second: E201: result is 2",
        "3 differences",
    ]
    other = run(status=Status.FAILED, error=Trouble(code="E305", message="no answer"), verified=False, attempts=2)
    assert differences(compare(failed, other)) == ["read", "error: E201: result is 2 → E305: no answer", "1 difference"]


def test_a_row_of_one_run_only_is_a_difference(run: Callable[..., ComparedRun]) -> None:
    assert differences(compare(run(), run(key="write"))) == [
        "sent in the first run only: read",
        "sent in the second run only: write",
        "read",
        "status: passed → nothing",
        "write",
        "status: nothing → passed",
        "2 differences",
    ]


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [(0.1, 0.19, False), (1.0, 1.2, False), (1.0, 1.3, True), (0.01, 0.2, True), (2, 1, True)],
)
def test_a_time_is_shown_beyond_a_quarter_and_a_tenth_of_a_second_and_is_no_difference(
    run: Callable[..., ComparedRun], one: float, other: float, *, shown: bool
) -> None:
    found = compare(run(seconds=one), run(seconds=other))
    assert found.is_same
    lines = differences(found)
    assert any(" → " in line for line in lines) is shown
    assert lines[-1] == SAME.strip()


def test_no_secret_is_shown(run: Callable[..., ComparedRun]) -> None:
    hole = "\ue000[inputs.token]"
    found = compare(run({"a": f"x {hole}"}), run({"a": "y"}, inputs={"t": hole}))
    assert "\ue000" not in text(found) + as_json(found)
    assert 'sent.parameters.a: "x ***" → "y"' in text(found)


def test_an_id_that_is_equal_in_both_is_itself() -> None:
    sameness = Sameness()
    assert sameness.are_same(ONE, ONE)
    assert not sameness.are_same(ONE, OTHER)


def test_first_comes_what_changed_before_the_site_answered_in_names_alone(run: Callable[..., ComparedRun]) -> None:
    first = run({"Name": "Ada"}, inputs={"n": 1}, source="sha256:a", files={"a.job.yaml": "x", "b.job.yaml": "y"})
    second = run({"Name": "Eve"}, inputs={"n": 2}, source="sha256:b", files={"a.job.yaml": "x", "c.job.yaml": "y"})
    found = compare(first, second)
    assert differences(found)[:3] == [
        "the job's files changed: b.job.yaml, c.job.yaml",
        "the inputs changed: n",
        "what was sent changed: read",
    ]
    assert "digest" not in text(found)
    assert json.loads(as_json(found))["changed"] == {
        "files": True,
        "file_names": ["b.job.yaml", "c.job.yaml"],
        "inputs": ["n"],
        "secret_inputs": [],
        "sent_with_secrets": [],
        "sent": ["read"],
        "sent_in_first_only": [],
        "sent_in_second_only": [],
    }


def test_secret_inputs_are_not_compared_and_the_steps_that_sent_them_are_listed(
    run: Callable[..., ComparedRun],
) -> None:
    hole = "\ue000[inputs.token]"
    first, second = (run({"Token": hole}, inputs={"token": "***"}, source="sha256:a", result=at) for at in (1, 1))
    assert differences(compare(first, second)) == [
        "the job's files, the inputs and what was sent are the same",
        "secret inputs are not compared: token; sent in: read",
        SAME.strip(),
    ]
    other = run({"Token": hole}, inputs={"token": "***"}, source="sha256:a", result=2)
    found = compare(first, other)
    assert differences(found)[1] == "secret inputs are not compared: token; sent in: read"
    changed = json.loads(as_json(found))["changed"]
    assert (changed["secret_inputs"], changed["sent_with_secrets"]) == (["token"], ["read"])
    assert "secret" not in text(compare(run(result=1), run(result=2)))


def test_the_planned_calls_are_compared_of_large_requests_which_are_not_stored_whole(
    run: Callable[..., ComparedRun],
) -> None:
    large = SentRequest(method="GET", path="/a/Execute", left_out=9000)
    found = compare(run({"Name": "Ada"}, request=large), run({"Name": "Eve"}, request=large))
    assert differences(found)[0] == "what was sent changed: read"


def test_where_the_log_says_nothing_of_a_step_that_is_explained(run: Callable[..., ComparedRun]) -> None:
    assert differences(compare(run(verified=True), run(verified=None)))[1] == (
        "verified: true → null (nothing is known from the process log)"
    )


def test_where_the_site_alone_answered_otherwise_that_is_said(run: Callable[..., ComparedRun]) -> None:
    first, second = run({"Id": ONE}, result=1, source="sha256:a"), run({"Id": OTHER}, result=2, source="sha256:a")
    assert differences(compare(first, second))[0] == "the job's files, the inputs and what was sent are the same"
    assert differences(compare(run(result=1), run(result=2)))[0] == "read"  # nobody knows of the files


def test_only_the_files_differ(run: Callable[..., ComparedRun]) -> None:
    found = compare(run(source="sha256:a"), run(source="sha256:b"))
    assert not found.is_same
    assert differences(found) == ["the job's files changed", "1 difference"]


def test_requests_are_compared_where_both_are_known(run: Callable[..., ComparedRun]) -> None:
    def request(method: str, *query: tuple[str, str]) -> SentRequest:
        return SentRequest(method=method, path="/a/Execute", query=query)

    first, second = run(1, request=request("GET", ("Name", "Ada"))), run(1, request=request("POST", ("Name", "Eve")))
    assert differences(compare(first, second)) == [
        "what was sent changed: read",
        "read",
        'sent.method: "GET" → "POST"',
        'sent.query.Name: "Ada" → "Eve"',
        "2 differences",
    ]
    assert compare(run(1), second).is_same


@pytest.mark.parametrize("effect", ["once", "read"])
def test_the_call_of_a_step_is_compared_whether_the_log_was_read_before_it(
    run: Callable[..., ComparedRun], effect: str
) -> None:
    first, second = run(1, effect=effect), run(2, effect=effect)
    assert differences(compare(first, second))[0] == "what was sent changed: read"
    begun, _, *others = [line for line in run(1, effect=effect).lines if not isinstance(line.event, StepStarted)]
    assert compare(first, replace(first, lines=[begun, *others])).is_same


def test_the_text_is_bounded_however_many_inputs_and_steps_differ(run: Callable[..., ComparedRun]) -> None:
    many = {f"n{at}": at for at in range(1000)}
    found = compare(run(inputs=many), run(inputs=dict.fromkeys(many, "x")))
    assert differences(found)[0] == "the inputs changed: n0, n1, n2, n3, n4, n5, n6, n7 and 992 more"
    assert "and 950 more; `--format json` has all" in differences(found)
    assert len(text(found).splitlines()) < 60
    assert len(json.loads(as_json(found))["differences"]) == 1000
