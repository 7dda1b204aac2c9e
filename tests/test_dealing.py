"""Tests that take many seconds begin first, in each worker of pytest."""

from unittest import mock

import pytest
from dealing import dealt
from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

KINDS = {2: "long waiting", 4: "long computing"}


@pytest.mark.parametrize(("count", "workers"), [(0, 4), (3, 4), (10, 1), (41, 4), (103, 4)])
def test_each_worker_begins_with_its_share_of_the_tests_that_take_longest(
    pytestconfig: pytest.Config, count: int, workers: int
) -> None:
    tests = [f"{KINDS.get(number % 5, 'short')} {number}" for number in range(count)]
    order = dealt(
        tests, workers=workers, waits=lambda test: "waiting" in test, computes=lambda test: "computing" in test
    )
    assert sorted(order) == sorted(tests)

    given = _parts(pytestconfig, order, workers)
    for part in given:
        firsts = [test.startswith("long") for test in part]
        assert firsts == sorted(firsts, reverse=True)
    shares = [sum(test.startswith("long") for test in part) for part in given]
    assert not shares or max(shares) - min(shares) <= 1
    kinds = [{test.split()[1] for test in part if test.startswith("long")} for part in given]
    assert workers == 1 or max(map(len, kinds)) <= 1


def _parts(config: pytest.Config, tests: list[str], workers: int) -> list[list[str]]:
    """What xdist itself gives each worker at first."""
    with mock.patch("xdist.scheduler.worksteal.parse_tx_spec_config", return_value=range(workers)):
        schedule = WorkStealingScheduling(config)
    nodes = [mock.Mock(shutting_down=False) for _ in range(workers)]
    for node in nodes:
        schedule.add_node(node)
        schedule.add_node_collection(node, tests)
    schedule.schedule()
    given = [[index for call in node.send_runtest_some.call_args_list for index in call.args[0]] for node in nodes]
    return [[tests[index] for index in part] for part in given]
