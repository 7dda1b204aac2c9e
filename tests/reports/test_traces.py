from collections.abc import Callable, Sequence

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from runner.reports.sentences import Detail
from runner.reports.transcript import whole
from runner.reports.words import TRACE_LEFT_OUT, without_trace
from runner.runs.events import AnyEvent, Line, Row, RunStarted, StepFinished, StepStarted, Trouble
from runner.runs.result import fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
TRACE = r"""System.Exception: No such contact (Id 5)
   at Terrasoft.Core.Process.UsrX.Execute(ProcessExecutingContext context) in C:\x\y.cs:line 12
   at Terrasoft.Core.Process.<>c__DisplayClass1_0.<Run>b__0[T](Func`1 f, Int32[] a)
--- End of stack trace from previous location where exception was thrown ---
   at System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw()"""


@pytest.mark.parametrize("joint", ["\n", "\r\n", " "])
def test_a_stack_trace_is_left_out_also_where_line_ends_were_lost(joint: str) -> None:
    assert without_trace(TRACE.replace("\n", joint)) == f"System.Exception: No such contact (Id 5) {TRACE_LEFT_OUT}"


def test_what_is_behind_or_between_frames_stays() -> None:
    text = "One: a ---> Two: b\n   at X.Y(Z z)\n   --- End of inner exception stack trace ---\n   at V.W()\nMore words"
    assert without_trace(text) == f"One: a ---> Two: b\nMore words {TRACE_LEFT_OUT}"


def test_frames_in_the_language_of_the_server_are_known() -> None:
    assert without_trace("Fehler\n   bei A.B.C() in c:\\x.cs:Zeile 3.") == f"Fehler. {TRACE_LEFT_OUT}"
    assert without_trace("Ошибка\n   в A.B.C()") == f"Ошибка {TRACE_LEFT_OUT}"


def test_a_text_that_is_nothing_but_a_trace_is_named() -> None:
    assert without_trace("   at A.B.C()\n   at D.E()") == TRACE_LEFT_OUT


@pytest.mark.parametrize(
    "text", ["", "No such contact", "Look at the.office (room 3)", "--- a --- (b)", "meet me at noon (or later)"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert without_trace(text) == text


@pytest.mark.parametrize("part", [" at a.b(", " ", "\n at ", " --- x", " at A.B()", "a.", " at A." + "b." * 50])
def test_a_long_text_costs_no_more_than_its_length(part: str) -> None:
    with bounded():
        without_trace("(" + part * (200_000 // len(part)))


@given(st.text())
def test_nothing_but_frames_is_lost(text: str) -> None:
    assert without_trace(text) == text or "(" in text


def test_the_account_of_a_run_leaves_traces_out_unless_all_is_wanted(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    error = Trouble(code="E203", message=f"the process failed: {TRACE}")
    ended = StepFinished(key="a", status=Status.FAILED, t=1.0, seconds=1.0, attempts=1, error=error)
    result = fold(chain([start(), StepStarted(row=row("a"), t=0.0), ended]), run="r")

    short, long = ([sentence.text for sentence in whole(result, Detail(verbose=verbose))] for verbose in (False, True))

    assert f"E203: the process failed: System.Exception: No such contact (Id 5) {TRACE_LEFT_OUT}" in short
    assert any("ExceptionDispatchInfo" in line for line in long)
