"""What the crash tests counted, added up at the end of a session that ran them."""

from collections import Counter

import pytest
from crashes import COUNTED, SEED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    seeds: list[str] = []
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, count in report.user_properties:
            if name == SEED:
                seeds.append(str(count))
            if name.startswith(COUNTED):
                counts[name.removeprefix(COUNTED)] += int(str(count))
    if counts:
        terminalreporter.write_line(COUNTED + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    if seeds:
        terminalreporter.write_line(f"{SEED}: " + ", ".join(seeds))
