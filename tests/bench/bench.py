"""The benchmark: `python tests/bench/bench.py`. Whole processes, beside what they are measured against, in one run.

It prints figures and ratios and judges nothing but one thing: a run that did not end as it should ends the benchmark.
`--runs N` sets how often each process is started (5); the median counts.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from urllib.request import urlopen

HERE = Path(__file__).parent
PYTHON = sys.executable
RUNNER = str(Path(PYTHON).with_name("runner"))
SLOW = 0.02
"""Seconds that a slow call takes at the server."""

RESUME = [RUNNER, "resume", "last", "-q", "--report-json", "report.json"]
LIBRARIES = [PYTHON, "-c", "import yaml, jinja2, jsonschema_rs, httpx"]


@dataclass(frozen=True, slots=True)
class Figure:
    """Median seconds of a whole process, and the most memory that one of the runs held, in MB."""

    seconds: float
    megabytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    # an installed program has its bytecode; one that may not write it would be compiled anew at every start
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder, _server() as site:
        os.chdir(folder)
        _targets(site)
        for steps in (1, 1_000, 10_000):
            _job(f"chain{steps}", steps=steps, verify="none")
        _job("verified1000", steps=1_000, verify="auto")
        _job("once1000", steps=1_000, verify="none", effect="once")
        _job("onceverified1000", steps=1_000, verify="auto", effect="once")
        _loop("loop10000", turns=10_000)
        _cases("slow", cases=100, steps=10)
        _many(Path("many"), files=200)
        _on_a_site(Path("onasite"), files=200, steps=20)
        _report(site, runs=runs)


def _report(site: str, *, runs: int) -> None:
    imports = measure(LIBRARIES, runs=runs)
    bare = measure([PYTHON, str(HERE / "bare.py"), site, "1000"], runs=runs)
    thousand = measure(_run("chain1000"), runs=runs)
    verified = measure(_run("verified1000"), runs=runs)
    once = measure(_run("once1000"), runs=runs)
    once_verified = measure(_run("onceverified1000"), runs=runs)
    resumed = measure(RESUME, runs=runs, before=_broken_off())
    one = measure(_run("chain1"), runs=runs)
    small = measure([RUNNER, "validate", "chain1.job.yaml"], runs=runs)
    large = measure([RUNNER, "validate", "chain1000.job.yaml"], runs=runs)
    many = measure(_run("chain10000"), runs=max(1, runs // 3))
    loop = measure(_run("loop10000"), runs=max(1, runs // 3))
    side_by_side = measure([*_run("slow"), "-j", "8"], runs=runs)
    ideal = Figure(100 * 10 * SLOW / 8, 0)
    two = measure([PYTHON, "-c", "import yaml, jsonschema_rs"], runs=runs)
    listed = measure([RUNNER, "list", "many"], runs=runs)
    checked = measure([RUNNER, "validate", "onasite"], runs=runs)
    print(f"import of the four libraries                {imports.seconds:7.3f} s")
    print(f"bare httpx.Client loop, 1,000 calls         {bare.seconds:7.3f} s")
    _row(f"1,000 chained calls, read{_requests_of('chain1000', site)}", thousand, of=bare, most=1.6)
    _row(f"read, verified{_requests_of('verified1000', site)}", verified, of=bare, most=None)
    _row(f"once{_requests_of('once1000', site)}", once, of=thousand, most=None)
    _row(f"once, verified{_requests_of('onceverified1000', site)}", once_verified, of=verified, most=None)
    _row("resume behind 1,000 calls", resumed, of=thousand, most=None)
    _row("one call", one, of=imports, most=1.8)
    _row("validate, 1 step", small, of=imports, most=1.0)
    _row("validate, 1,000 steps", large, of=imports, most=3.0)
    _row("10,000 chained calls", many, of=thousand, most=11.0)
    _row("for_each of 10,000 turns", loop, of=many, most=1.0)
    _row("100 runs of 10 calls of 20 ms, -j 8", side_by_side, of=ideal, most=1.3)
    _row("validate, 200 files, with a catalogue", checked, of=Figure(4 * imports.seconds + 200 * 0.005, 0), most=1.0)
    _row("list of 200 files", listed, of=Figure(2 * two.seconds + 200 * 0.002, 0), most=1.0)


def _row(what: str, figure: Figure, *, of: Figure, most: float | None) -> None:
    ratio = figure.seconds / of.seconds
    bound = f"  (at most {most:.1f})" if most is not None else ""
    print(f"{what:43s} {figure.seconds:7.3f} s {figure.megabytes:6.0f} MB   ratio {ratio:5.2f}{bound}")


def _requests_of(name: str, site: str) -> str:
    """How many requests a run of the job makes."""
    before = _requests(site)
    _once(_run(name))
    return f" ({_requests(site) - before - 1:,} requests)"


def _requests(site: str) -> int:
    """How many the server has answered, this one not counted."""
    with urlopen(f"{site}/requests") as answer:
        return int(answer.read())


def _broken_off() -> Callable[[], None]:
    """What makes the same run anew, broken off behind its last call."""
    _once(_run("once1000"))
    events = max(Path(".runner/runs").iterdir()) / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if b'"call.answered"' in line)

    def break_off() -> None:
        events.write_bytes(b"".join(lines[: last + 1]))
        events.with_name("report.json").unlink(missing_ok=True)  # a run that was killed has none

    return break_off


def measure(command: Sequence[str], *, runs: int, before: Callable[[], None] = lambda: None) -> Figure:
    """Start `command` once to warm up and then `runs` times, each after `before`. One that fails ends the benchmark."""
    taken = []
    for _ in range(runs + 1):
        before()
        taken.append(_once(command))
    return Figure(statistics.median(seconds for seconds, _ in taken[1:]), max(memory for _, memory in taken[1:]))


def _once(command: Sequence[str]) -> tuple[float, float]:
    with tempfile.TemporaryFile() as out:
        begun = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            out.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n{out.read().decode()[-2000:]}")
    return seconds, usage.ru_maxrss / 1024


def _run(name: str) -> list[str]:
    return [RUNNER, "run", "-q", "--report-json", "report.json", f"{name}.job.yaml"]


def _targets(site: str) -> None:
    Path("targets.yaml").write_text(
        f"runner: 1\ntargets:\n  bench:\n    url: {site}\n    auth: {{username: u, password: p}}\n"
    )


def _job(name: str, *, steps: int, verify: str, effect: str = "read") -> None:
    """A chain: each call takes a value from the one before, captures one, and is checked twice."""
    lines = [f"runner: 1\nname: {name}\ntarget: bench\nvars: {{s0: '0'}}\ndefaults: {{verify: {verify}}}\nsteps:\n"]
    for number in range(1, steps + 1):
        before = "vars.s0" if number == 1 else f"steps.s{number - 1}.outputs.last"
        lines.append(
            f"  - id: s{number}\n"
            f"    execute:\n"
            f"      process: UsrBench\n"
            f'      parameters: {{After: "{{{{ {before} }}}}"}}\n'
            f"      result: Found\n"
            f"    effect: {effect}\n"
            f"    expect:\n"
            f"      - result | length > 0\n"
            f'      - result[0].Name == "a contact"\n'
            f"    outputs: {{last: 'result[0].Id'}}\n"
        )
    Path(f"{name}.job.yaml").write_text("".join(lines))


def _loop(name: str, *, turns: int) -> None:
    """The same call for each of many items, with a capture and two checks."""
    items = ", ".join(str(number) for number in range(turns))
    Path(f"{name}.job.yaml").write_text(
        f"runner: 1\nname: {name}\ntarget: bench\nsteps:\n"
        f"  - id: many\n    for_each: [{items}]\n"
        "    execute: {process: UsrBench, parameters: {After: '{{ item }}'}, result: Found}\n"
        "    effect: read\n    verify: none\n"
        "    expect: [result | length > 0, 'result[0].Name == \"a contact\"']\n"
        "    outputs: {last: 'result[0].Id'}\n"
    )


def _cases(name: str, *, cases: int, steps: int) -> None:
    """A run a case, each of a few slow calls."""
    each = "".join(
        "  - execute: {process: UsrSlow, result: Found}\n    effect: read\n    verify: none\n" for _ in range(steps)
    )
    listed = "".join(f"  - {{name: c{number}, inputs: {{}}}}\n" for number in range(cases))
    Path(f"{name}.job.yaml").write_text(f"runner: 1\nname: {name}\ntarget: bench\ncases:\n{listed}steps:\n{each}")


def _many(folder: Path, *, files: int) -> None:
    """Many small jobs of a few steps each."""
    folder.mkdir()
    for number in range(files):
        steps = "".join(
            f"  - id: s{step}\n    execute: {{process: UsrBench, parameters: {{N: 1}}, result: Found}}\n"
            f"    effect: read\n    expect: [result | length > 0]\n"
            for step in range(5)
        )
        (folder / f"{number}.job.yaml").write_text(
            f"runner: 1\nname: job{number}\ntags: [smoke]\n"
            f"inputs: {{who: {{type: string, default: x}}}}\nsteps:\n{steps}"
        )


def _on_a_site(folder: Path, *, files: int, steps: int) -> None:
    """Jobs beside the catalogue of a site with 500 processes; values and types flow from each step to the next."""
    folder.mkdir()
    auth = "auth: {username: u, password: p}"
    (folder / "targets.yaml").write_text(f"runner: 1\ntargets: {{big: {{url: 'https://big.example', {auth}}}}}\n")
    parameters = "".join(f"      P{number}: {{type: text, direction: in}}\n" for number in range(10))
    elements = "".join(
        f"      0000000{number}-0000-4000-8000-000000000000: {{name: E, type: Task}}\n" for number in range(9)
    )
    processes = "".join(
        f"  UsrProcess{number}:\n    caption: Process {number}\n    version: 1\n    runnable: true\n    parameters:\n"
        "      Found: {type: records, direction: out, items: {Id: guid, Name: text, Score: integer}}\n"
        f"      Key: {{type: guid, direction: in}}\n{parameters}    elements:\n{elements}"
        for number in range(500)
    )
    (folder / "big.catalog.yaml").write_text(f"runner: 1\nsite: https://big.example\nprocesses:\n{processes}")
    for number in range(files):
        lines = [f"runner: 1\nname: job{number}\ntarget: big\nvars: {{who: 'Smoke {{{{ run.id }}}}'}}\nsteps:\n"]
        for step in range(steps):
            key = f'"{{{{ steps.s{step - 1}.outputs.key }}}}"' if step else "null"
            lines.append(
                f"  - id: s{step}\n    execute:\n      process: UsrProcess{(number * steps + step) % 500}\n"
                f'      parameters: {{Key: {key}, P1: "{{{{ vars.who }}}}", P2: x}}\n      result: Found\n'
                f"    effect: read\n    expect:\n      - result | length > 0\n"
                f'      - vars.who in result | map(attribute="Name")\n'
                f'    outputs:\n      key: (result | selectattr("Score", "gt", {step}) | first).Id\n'
            )
        (folder / f"{number}.job.yaml").write_text("".join(lines))


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
