"""What in packages will bite a caller, reported with its place."""

import contextlib
from pathlib import Path

import pytest
from msgspec.structs import replace
from packages_on_disk import INTEGER, TEXT, RawStep

from runner.foundation.problems import Problem, Severity
from runner.packages.lint import lint
from runner.packages.reading import read_packages

GATE = RawStep(
    code="UsrGate",
    elements={"StartEvent1": "StartEvent", "Gate1": "ExclusiveGateway", "A": "UserTask", "B": "UserTask"},
    captions={"BaseElements.Gate1.Caption": "Enough seats?"},
    properties={"IsActiveVersion": "True", "Version": "1"},
)
CONDITIONAL, DEFAULT, PLAIN = 2, 1, 0
START = ("StartEvent1", "Gate1", PLAIN)


def found(*processes: RawStep, into: Path) -> list[Problem]:
    for process in processes:
        process.write(into / "packages" / "UsrTours")
    with contextlib.chdir(into):
        packages = read_packages([into / "packages"])
        assert packages.problems == ()
        return list(lint(packages))


def linted(*processes: RawStep, into: Path) -> list[str]:
    return [f"{problem.code} {problem.message}" for problem in found(*processes, into=into)]


@pytest.mark.parametrize("is_long", [False, True], ids=["short keys", "long keys"])
def test_an_element_that_only_conditional_flows_leave_is_reported_at_its_place(
    tmp_path: Path, *, is_long: bool
) -> None:
    flows = (START, ("Gate1", "A", CONDITIONAL), ("Gate1", "B", CONDITIONAL))
    process = replace(GATE, flows=flows, is_long=is_long)

    (problem,) = found(process, into=tmp_path)

    assert (problem.code, problem.severity) == ("E192", Severity.WARNING)
    assert problem.file == "packages/UsrTours/Schemas/UsrGate/metadata.json"
    assert problem.message == (
        "`UsrGate`: every flow that leaves `Enough seats?` (Gate1) has a condition, and none is the default"
    )
    assert problem.excerpt is not None
    assert GATE.element_id("Gate1") in problem.excerpt


@pytest.mark.parametrize("other", [DEFAULT, PLAIN])
def test_a_flow_that_is_the_default_or_has_no_condition_leads_on(tmp_path: Path, other: int) -> None:
    assert linted(replace(GATE, flows=(START, ("Gate1", "A", CONDITIONAL), ("Gate1", "B", other))), into=tmp_path) == []


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        (["StartSignalEvent"], "it starts with a signal"),
        (["StartTimerEvent"], "it starts with a timer"),
        (["StartSignalEvent", "StartTimerEvent"], "it starts with a signal or a timer"),
        ([], "it has no start event"),
    ],
)
def test_a_process_that_no_call_can_start_is_reported(tmp_path: Path, kinds: list[str], why: str) -> None:
    elements = {f"Start{number}": kind for number, kind in enumerate(kinds)} | {"A": "UserTask"}

    assert linted(replace(GATE, elements=elements), into=tmp_path) == [f"E193 `UsrGate`: no call can start it: {why}"]


def test_a_plain_start_beside_a_signal_is_enough(tmp_path: Path) -> None:
    elements = {"Start1": "StartSignalEvent", "Start2": "StartEvent"}
    assert linted(replace(GATE, elements=elements), into=tmp_path) == []


def family(*, root: str, member: str, **properties: str) -> tuple[RawStep, RawStep]:
    first = replace(GATE, parameters={"Level": (TEXT, 0), "Same": (TEXT, None)}, properties={"IsActiveVersion": root})
    second = RawStep(
        code="UsrGate_v1",
        parent="UsrGate",
        parameters={"Level": (INTEGER, 0), "Same": (TEXT, None)},
        properties={"IsActiveVersion": member, "Version": "2", **properties},
    )
    return first, second


def test_a_version_that_no_call_runs_and_a_parameter_of_another_type_are_reported(tmp_path: Path) -> None:
    assert linted(*family(root="False", member="True"), into=tmp_path) == [
        "E194 `UsrGate` is not active: a call of `UsrGate` runs `UsrGate_v1`, version 2",
        "E195 `UsrGate`: parameter `Level` is text, in, and integer, in in `UsrGate_v1`, version 2",
    ]


def test_a_process_of_which_no_version_is_active_cannot_be_called(tmp_path: Path) -> None:
    lines = linted(*family(root="False", member="False"), into=tmp_path)
    assert [line for line in lines if line.startswith("E194")] == [
        "E194 `UsrGate` is not active: no call can start it",
        "E194 `UsrGate_v1`, version 2, is not active: no call can start it",
    ]


def test_an_active_version_that_is_disabled_is_reported(tmp_path: Path) -> None:
    lines = linted(*family(root="False", member="True", Enabled="False"), into=tmp_path)
    assert "E194 `UsrGate_v1`, version 2, is disabled: no call can start it" in lines


def test_two_active_versions_are_reported(tmp_path: Path) -> None:
    lines = linted(*family(root="True", member="True"), into=tmp_path)
    assert lines[0] == "E196 `UsrGate_v1`, version 2, is active, and so is `UsrGate`"


def test_a_version_whose_root_is_not_there_is_reported(tmp_path: Path) -> None:
    _, member = family(root="False", member="True")
    (line,) = linted(member, into=tmp_path)
    assert line == "E196 `UsrGate_v1`, version 2: the root that it is a version of is in none of these packages"


def test_nothing_is_reported_of_processes_in_order(tmp_path: Path) -> None:
    assert linted(GATE, replace(GATE, code="UsrOther"), into=tmp_path) == []


def test_a_design_that_could_not_be_read_says_nothing(tmp_path: Path) -> None:
    folder = GATE.write(tmp_path / "packages")
    (folder / "metadata.json").write_text("{")
    packages = read_packages([tmp_path / "packages"])
    assert lint(packages) == ()
