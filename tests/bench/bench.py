"""The benchmark: `python tests/bench/bench.py`. Whole processes, in turn with what they are measured against.

It prints figures and ratios, each beside what it should be at most, and judges nothing but one thing: a run that did
not end as it should ends the benchmark. `--rounds N` sets how often each pair is started (5); the median of the ratios
counts. `--row NAME` prints that row alone, several times: those rows.

Ratios of wall time, and of processor time in brackets, on 2026-12-02 on a machine of two cores with nothing else to
do; what is above its aim is marked:
one call / bare 0.62 (0.61) · 1,000 reads 0.98 (0.94) · 1,000 once calls with the log 3.1 (2.8), above, and beside a
bare client with an fsync and a reading for each 1.54 (1.48) · results of 25 KB 1.08 · validate / import of the four
libraries 0.58 · resume after 1,000 calls / the run 0.40 · -j 8 / computed 1.26 to 1.36, above · 40 once runs of one
process, -j 8 / after each other 0.84 (0.93), above. Memory of 10,000 steps: run 123 MB, above, resume 142 MB.

The same instructions take up to 1.6 times as long on a virtual machine from one second to the next: so "of the least"
compares the least time of each side.

Where it goes: `runner/DECISIONS.md`. Of 1,000 reads half of the instructions are the loop, the rest
start, lint and reports. Of 1,000 once calls with the log the whole command takes 1.58 times the instructions of bare.
`validate` takes 349 million instructions, and the import of the four libraries 723, with 158 modules of ours that are
found and read. Of a resumption of 1,000 calls a quarter is the start, a quarter what the engine does again, and the
rest YAML, reports and journal. Of -j 8 are 0.24 s the start, then 13 times a run, whose calls take 200 ms, in 222 ms,
and 6 ms to the next; 0.07 s are reports and the end. Of the 26 ms of a turn 20 are the process's own: without calls
that overlap the last ratio stays above 0.65. On a machine that others use, too, `chrt -r 5` before the command gives
it both processors.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from jobs import write_cases, write_chain, write_hurl, write_loop, write_many, write_on_a_site, write_targets
from processes import Measured, alone, in_turn, once, show

HERE = Path(__file__).parent
PYTHON = sys.executable
RUNNER = str(Path(PYTHON).with_name("runner"))
SLOW = 0.02
"""Seconds that a slow call takes at the server."""

LIBRARIES = Measured([PYTHON, "-c", "import yaml, jinja2, jsonschema_rs, httpx"])
READERS = Measured([PYTHON, "-c", "import yaml, jsonschema_rs"])


def one_call(site: str, rounds: int) -> None:
    write_chain("chain1", steps=1)
    show("one call / one call of the bare client", in_turn(_run("chain1"), _bare(site, 1), rounds=rounds), most=1.25)


def thousand(site: str, rounds: int) -> None:
    _against_bare("1,000 calls, read, verify: none / bare", site, rounds, most=1.25)


def verified(site: str, rounds: int) -> None:
    _against_bare("1,000 calls, read, verify: auto / bare", site, rounds, verify="auto")


def once_unverified(site: str, rounds: int) -> None:
    _against_bare("1,000 calls, once, verify: none / bare", site, rounds, effect="once")


def once_verified(site: str, rounds: int) -> None:
    _against_bare("1,000 calls, once, verify: auto / bare", site, rounds, effect="once", verify="auto", most=2.0)


def once_verified_by_bare(site: str, rounds: int) -> None:
    write_chain("chain", steps=1_000, effect="once", verify="auto")
    pairs = in_turn(_run("chain"), _bare(site, 1_000, is_verified=True), rounds=rounds)
    show("the same / bare with fsync and the log", pairs, most=None)


def large_results(site: str, rounds: int) -> None:
    _against_bare("1,000 calls, results of 25 KB / bare", site, rounds, process="UsrLarge", most=1.5)


def validate_one(_: str, rounds: int) -> None:
    write_chain("chain1", steps=1)
    pairs = in_turn(_validate("chain1.job.yaml"), LIBRARIES, rounds=rounds)
    show("validate, 1 step / import of the four libraries", pairs, most=0.6)


def validate_thousand(_: str, rounds: int) -> None:
    write_chain("chain1000", steps=1_000)
    pairs = in_turn(_validate("chain1000.job.yaml"), LIBRARIES, rounds=rounds)
    show("validate, 1,000 steps / import of the four libraries", pairs, most=3.0)


def validate_site(_: str, rounds: int) -> None:
    write_on_a_site(Path("onasite"), files=200, steps=20)
    bound = 4 * min(LIBRARIES.start().seconds for _ in range(3)) + 200 * 0.005
    pairs = alone(_validate("onasite"), seconds=bound, rounds=rounds)
    show("validate, 200 files, with a catalogue / computed", pairs, most=1.0)


def list_files(_: str, rounds: int) -> None:
    write_many(Path("many"), files=200)
    bound = 2 * min(READERS.start().seconds for _ in range(3)) + 200 * 0.002
    pairs = alone(Measured([RUNNER, "list", "many"]), seconds=bound, rounds=rounds)
    show("list of 200 files / computed", pairs, most=1.0)


def resume(_: str, rounds: int) -> None:
    write_chain("chain1000", steps=1_000)
    pairs = in_turn(_resume("chain1000"), _run("chain1000"), rounds=rounds)
    show("resume after 1,000 calls / the run", pairs, most=0.4)


def ten_thousand(_: str, rounds: int) -> None:
    write_chain("chain10000", steps=10_000)
    write_chain("chain1000", steps=1_000)
    pairs = in_turn(_run("chain10000"), _run("chain1000"), rounds=max(1, rounds // 3))
    show("10,000 steps, run / 1,000 steps", pairs, most=11.0, memory=120)


def ten_thousand_resumed(_: str, rounds: int) -> None:
    write_chain("chain10000", steps=10_000)
    pairs = in_turn(_resume("chain10000"), _run("chain10000"), rounds=max(1, rounds // 3))
    show("10,000 steps, resume / the run", pairs, most=0.4, memory=150)


def loop(_: str, rounds: int) -> None:
    write_loop("loop10000", turns=10_000)
    write_chain("chain10000", steps=10_000)
    pairs = in_turn(_run("loop10000"), _run("chain10000"), rounds=max(1, rounds // 3))
    show("for_each of 10,000 turns / 10,000 steps", pairs, most=1.0)


def side_by_side(site: str, rounds: int) -> None:
    """Beside Hurl where it is installed, else beside the time that the calls take at the server."""
    write_cases("slow", cases=100, steps=10)
    ours = _run("slow", "-j", "8")
    if hurl := shutil.which("hurl"):
        other = Measured([hurl, "--test", "--jobs", "8", *write_hurl(Path("hurl"), site, files=100, calls=10)])
        pairs = in_turn(ours, other, rounds=rounds)
        show("-j 8, 100 runs of 10 calls of 20 ms / Hurl", pairs, most=1.15)
    else:
        pairs = alone(ours, seconds=100 * 10 * SLOW / 8, rounds=rounds)
        show("-j 8, 100 runs of 10 calls of 20 ms / computed", pairs, most=1.15)


def turns(_: str, rounds: int) -> None:
    write_cases("turns", cases=40, steps=1, effect="once", verify="auto")
    pairs = in_turn(_run("turns", "-j", "8"), _run("turns"), rounds=rounds)
    show("40 once runs of one process, -j 8 / after each other", pairs, most=0.6)


def status_of_many(_: str, rounds: int) -> None:
    """The status of a fleet with 100,000 runs, of which half are queued; the connection and the start included."""
    sys.path.append(str(HERE.parent / "support"))
    from many_runs import make_many_runs  # noqa: PLC0415  it imports PostgreSQL's library and pytest
    from postgres import shared_cluster  # noqa: PLC0415  likewise

    with shared_cluster(f"bench-{os.getpid()}") as cluster:
        dsn = cluster.new_database()
        make_many_runs(dsn, count=100_000)
        pairs = alone(Measured([RUNNER, "status", "--db", dsn]), seconds=1.0, rounds=rounds)
    show("status of 100,000 runs / one second", pairs, most=1.0)


ROWS: dict[str, Callable[[str, int], None]] = {
    "one-call": one_call,
    "thousand": thousand,
    "verified": verified,
    "once": once_unverified,
    "once-verified": once_verified,
    "once-verified-by-bare": once_verified_by_bare,
    "large": large_results,
    "validate": validate_one,
    "validate-thousand": validate_thousand,
    "validate-site": validate_site,
    "list": list_files,
    "resume": resume,
    "ten-thousand": ten_thousand,
    "ten-thousand-resumed": ten_thousand_resumed,
    "for-each": loop,
    "side-by-side": side_by_side,
    "turns": turns,
    "status": status_of_many,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--row", action="append", choices=list(ROWS))
    options = parser.parse_args()
    # an installed program has its bytecode; one that may not write it would be compiled anew at every start
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in options.row or ROWS:
        with tempfile.TemporaryDirectory() as folder, _server() as site:
            os.environ["XDG_STATE_HOME"] = folder  # the ids of rows are those of the servers before
            os.chdir(folder)
            write_targets(site)
            ROWS[name](site, options.rounds)
            os.chdir(HERE)


def _against_bare(
    what: str,
    site: str,
    rounds: int,
    *,
    effect: str = "read",
    verify: str = "none",
    process: str = "UsrBench",
    most: float | None = None,
) -> None:
    write_chain("chain", steps=1_000, effect=effect, verify=verify, process=process)
    before = _requests(site)
    once(_run("chain").command)
    requests = _requests(site) - before - 1
    pairs = in_turn(_run("chain"), _bare(site, 1_000, process), rounds=rounds)
    show(what if requests <= 1_001 else f"{what}, {requests:,} requests", pairs, most=most)


def _run(name: str, *options: str) -> Measured:
    return Measured([RUNNER, "run", "-q", "--report-json", "report.json", *options, f"{name}.job.yaml"])


def _validate(path: str) -> Measured:
    return Measured([RUNNER, "validate", path])


def _bare(site: str, calls: int, process: str = "UsrBench", *, is_verified: bool = False) -> Measured:
    return Measured([PYTHON, str(HERE / "bare.py"), site, str(calls), process, *(["verified"] if is_verified else [])])


def _resume(name: str) -> Measured:
    """The same run each time, broken off after its last answer, in a store of its own."""
    once(_run(name, "--runs", "resumed").command)
    (events,) = Path("resumed").glob("*/events.jsonl")
    lines = events.read_bytes().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if b'"call.answered"' in line)

    def break_off() -> None:
        events.write_bytes(b"".join(lines[: last + 1]))
        events.with_name("report.json").unlink(missing_ok=True)  # a run that was killed has none

    command = [RUNNER, "resume", "last", "-q", "--runs", "resumed", "--report-json", "report.json"]
    return Measured(command, before=break_off)


def _requests(site: str) -> int:
    """How many the server has answered, this one not counted."""
    with urlopen(f"{site}/requests") as answer:
        return int(answer.read())


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen([PYTHON, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
