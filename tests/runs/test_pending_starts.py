"""Which of the starts without a row have theirs, as a store asks it before each verdict while other runs' starts are
pending.
"""

from collections import UserDict
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from runner.runs.pending_starts import AFTER, EXACT, PendingStart, with_rows

MOMENTS = st.integers(0, 30).map(float)


class CountedRows(UserDict[str, float]):
    """Rows that count how often they are read."""

    read = 0

    def __getitem__(self, row: str) -> float:
        self.read += 1
        return super().__getitem__(row)


def pending(spans: Sequence[tuple[float, float]]) -> list[PendingStart]:
    return [
        PendingStart(number=number, run="r", key="k", began=began, answered=began + seconds)
        for number, (began, seconds) in enumerate(spans)
    ]


def may_have_made(start: PendingStart, began: float) -> bool:
    return start.began - EXACT <= began <= max(start.began, start.answered) + AFTER


def one_by_one(starts: Sequence[PendingStart], rows: Mapping[str, float]) -> set[tuple[frozenset[int], frozenset[str]]]:
    """The starts and rows of each group that has a row for every start, found by trying each start with each row."""
    groups = []
    for start in starts:
        makers, made = {start.number}, set[str]()
        for _ in starts:
            known = [other for other in starts if other.number in makers]
            made |= {row for row, began in rows.items() if any(may_have_made(other, began) for other in known)}
            makers |= {other.number for other in starts for row in made if may_have_made(other, rows[row])}
        groups.append((frozenset(makers), frozenset(made)))
    return {(makers, made) for makers, made in groups if len(made) >= len(makers)}


def test_rows_are_read_once_however_many_starts_are_pending() -> None:
    rows = CountedRows({f"row {number}": 4.0 + number / 10 for number in range(20)})
    with_rows(pending([(number / 200, 0.004) for number in range(1000)]), rows)
    assert rows.read <= 2 * len(rows)


def test_a_row_from_before_a_start_is_not_its_own() -> None:
    (start,) = pending([(10.0, 0.1)])
    assert with_rows([start], {"of a timer": 9.0}) == {}
    assert with_rows([start], {"of a timer": 9.0, "own": 10.05}) == {"own": start}


@given(st.lists(st.tuples(MOMENTS, st.sampled_from([-1.0, 0.0, 1.0, 9.0])), max_size=6), st.lists(MOMENTS, max_size=8))
def test_each_start_has_its_row_where_all_that_may_have_made_the_same_rows_have(
    spans: list[tuple[float, float]], moments: list[float]
) -> None:
    starts, rows = pending(spans), {f"row {number}": began for number, began in enumerate(moments)}
    expected = one_by_one(starts, rows)
    found = with_rows(starts, rows)
    assert set(found) == {row for _, made in expected for row in made}
    for makers, made in expected:
        assert {found[row].number for row in made} == makers
