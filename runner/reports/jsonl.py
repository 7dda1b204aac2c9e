"""The events of a run as JSON lines: those of its journal, with `***` for secrets; all else byte for byte."""

from collections.abc import Iterable, Iterator

from runner.foundation.lazy import lazy_pattern
from runner.reports.safe import shown_json
from runner.runs.events import VERSION, Line, encode

MARK = lazy_pattern(rb'\{"v":[0-9]+,"seq":[0-9]+,"at":"[^"]*","type":"')
"""How such a report begins, and no other file."""


def report(lines: Iterable[Line]) -> Iterator[bytes]:
    """The lines in their order, each with its line end."""
    return (b"%s\n" % shown_json(_line(line)) for line in lines)


def _line(line: Line) -> bytes:
    before = b'{"v":%d,"seq":%d,"at":"%s",' % (VERSION, line.seq, line.at.encode())
    return before + encode(line.event)[1:-1] + b',"prev":"%s"}' % line.prev.encode()
