import hashlib
import json
from collections.abc import Callable, Sequence

from reported import jsonl_report

from runner.runs.events import AnyEvent, Line, RunStarted

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def test_a_line_without_a_secret_is_the_folders_line(story: list[AnyEvent], chain: Chain) -> None:
    lines = chain(story)
    output = jsonl_report(lines).splitlines()
    assert len(output) == len(lines)
    for line, written in zip(lines, output, strict=True):
        is_same = hashlib.sha256(written.encode()).hexdigest() == line.sha256
        assert is_same == ("***" not in written)


def test_a_secret_is_printed_as_stars_and_the_chain_stays_the_folders(story: list[AnyEvent], chain: Chain) -> None:
    lines = chain(story)
    first, second, *_ = map(json.loads, jsonl_report(lines).splitlines())
    assert first["inputs"] == {"token": "***", "limit": 10}
    assert second["prev"] == lines[0].sha256
    assert list(first)[:4] == ["v", "seq", "at", "type"]


def test_every_event_is_one_line(start: Callable[..., RunStarted], chain: Chain) -> None:
    output = jsonl_report(chain([start(help="two\nlines\u2028more")]))
    assert output.splitlines() == [output.removesuffix("\n")]


def test_no_events_are_no_lines() -> None:
    assert jsonl_report([]) == ""
