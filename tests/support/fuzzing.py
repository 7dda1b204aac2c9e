"""Files that nobody writes, made by chance and checked one after the other; run as a program, in a process of its own.

`python fuzzing.py KIND COUNT` prints how many were checked, the CPU seconds of the slowest and the most megabytes. A
crash ends it. Time is that of the processor, so that a busy machine is no slow program.
"""

import json
import re
import resource
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from runner.cli import validate
from runner.explanations.read import titles
from runner.foundation.values import Json
from runner.reading import load
from runner.reading.document import Document
from runner.reports import mistakes

_ROOT = Path(__file__).parents[2]
_MOST_ADDRESSES = 2 << 30
_MOST_CPU_SECONDS = 200
_HEAD = "runner: 1\nname: fuzz\n"
_WORDS = (
    *("inputs.a", "steps.a.result", "vars.b", "result", "item", "steps", "none", "true", "1", "-1", "1e999", "'a'"),
    *('"{{"', "==", "!=", "<", "and", "or", "not", "in", "is", "if", "else", "|", "(", ")", "[", "]", "{", "}", ":"),
    *(",", ".", "~", "+", "*", "%", "//", "default('')", "map(attribute='a')", "selectattr", "length", "defined"),
    *(
        "regex_search('(a+)+$')",
        "match('(')",
        "uuid('a')",
        "success()",
        "__class__",
        "{{",
        "}}",
        "\n",
        "#",
        "\\",
        "'",
    ),
)
_OPERANDS = (
    *(
        "inputs.a",
        "inputs",
        "steps.a.result",
        "steps.a.outputs.o",
        "steps",
        "vars.b",
        "result",
        "item",
        "index",
        "none",
    ),
    *(
        "true",
        "0",
        "-1",
        "1.5",
        "1e999",
        "9" * 30,
        "'a'",
        r"'\ud800'",
        "'(a+)+$'",
        "'{{'",
        "[]",
        "{}",
        "run.id",
        "case",
    ),
)
_FORMS = (
    *("X == X", "X < X", "X in X", "X not in X", "X and X", "X or not X", "X if X else X", "X + X", "X * X", "X % X"),
    *(
        "X // X",
        "X / X",
        "X ~ X",
        "-X",
        "(X)",
        "[X, X]",
        "{'k': X}",
        "{X: X}",
        "X.k",
        "X.size",
        "X[0]",
        "X[X]",
        "X[X:X:X]",
    ),
    *(
        "X | length",
        "X | map(attribute=X)",
        "X | selectattr(X, 'eq', X)",
        "X | select(X)",
        "X | default(X)",
        "X | sort",
    ),
    *(
        "X | join(X)",
        "X | int(X)",
        "X | round(X)",
        "X | replace(X, X)",
        "X | json | from_json",
        "X | groupby(X)",
        "X | sum",
    ),
    *("X | regex_search(X)", "X | regex_replace(X, X)", "X | b64decode", "X | odata", "X | foo(X)", "X | first | last"),
    *(
        "X is defined",
        "X is match(X)",
        "X is foo(X)",
        "X is string",
        "X is eq X",
        "X.k(X)",
        "X(X)",
        "uuid(X)",
        "success()",
    ),
)
_SCALARS: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, 10**400, "", "a", "{{ run.id }}", "{{", "{{ steps.a.result }}", "30s"),
    *("7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11", "result", "result | length > 0", "read", "\u0000", "\ud800", "x" * 5000),
)


@dataclass(slots=True)
class _Feeder:
    folder: Path
    slowest: float = 0.0
    count: int = 0
    codes: set[str] = field(default_factory=set)

    def feed(self, data: bytes) -> None:
        file = self.folder / _name(data)
        file.parent.mkdir(exist_ok=True)
        file.unlink(missing_ok=True)  # some file systems write a file to disk before they let it be written over
        file.write_bytes(data)
        before = time.process_time()
        problems = validate.checked([file], targets=None, environment={}).problems
        mistakes.text(problems).encode()
        mistakes.json(problems).encode()
        self.slowest = max(self.slowest, time.process_time() - before)
        self.count += 1
        self.codes |= {problem.code for problem in problems}
        assert self.codes <= titles().keys()


def _name(data: bytes) -> str:
    """The name of a file of the kind that `data` looks like; of any kind where it looks like none."""
    if b"targets:" in data or b'"targets"' in data:
        return "t/targets.yaml"
    if b"activities" in data or b"direction" in data:
        return "p/a.process.yaml"
    return "j/a.job.yaml" if b"steps" in data else ("j/b.job.yaml", "t/targets.yaml", "p/b.process.yaml")[len(data) % 3]


@cache
def _files() -> tuple[bytes, ...]:
    folders = ("specs", "tests/right", "tests/wrong", "tests/shipped_schemas", "specs/sandbox")
    return tuple(file.read_bytes() for folder in folders for file in sorted((_ROOT / folder).glob("*.yaml")))


@cache
def _keys() -> tuple[str, ...]:
    """Every word of the language."""
    found: set[str] = set()
    for name in ("job", "targets", "process"):
        _collect(json.loads((_ROOT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")), found)
    return tuple(sorted(found))


def _collect(schema: Json, found: set[str]) -> None:
    match schema:
        case dict():
            properties = schema.get("properties")
            found.update(properties if isinstance(properties, dict) else ())
            for value in schema.values():
                _collect(value, found)
        case list():
            for value in schema:
                _collect(value, found)


def cut(chance: Random) -> bytes:
    """A file that ends too early, or has lost, doubled, exchanged or foreign pieces."""
    data = chance.choice(_files())
    for _ in range(chance.randint(1, 4)):
        start, stop = sorted(chance.randint(0, len(data)) for _ in range(2))
        piece = chance.choice((b"", data[start:stop] * 2, chance.randbytes(4), chance.choice(_SIGNS), b"\n\t- "))
        data = data[:start] + piece + data[chance.choice((start, stop, len(data))) :]
    return data


_SIGNS = tuple(sign.encode() for sign in "\"'{}[]:,-#&*!|>%@`?~\t\r\x00\x85\u2028\ufeff")


def nested(chance: Random) -> bytes:
    """Lists, records, brackets and blocks within each other, some of them never closed."""
    depth = chance.choice((10, 63, 64, 65, 500, 5_000, 100_000))
    opening, closing = chance.choice((("[", "]"), ("{a: ", "}"), ("- ", ""), ("(", ")"), ("? ", ""), ("[{a: ", "}]")))
    if opening == "(":
        return f"{_HEAD}steps:\n  - pause: 1s\n    if: '{opening * depth}1{closing * depth}'\n".encode()
    shape = chance.choice(("line", "cut", "indented"))
    if shape == "indented":
        depth = min(depth, 1_000)
        return (_HEAD + "vars:\n" + "".join(f"{' ' * level}a:\n" for level in range(1, depth))).encode()
    return f"{_HEAD}vars: {{a: {opening * depth}{closing * depth if shape == 'line' else ''}}}\n".encode()


def aliases(chance: Random) -> bytes:
    """Anchors and aliases that grow with each line, lead in circles, or to nothing."""
    lines, names = [f"{_HEAD}vars:", "  a0: &a0 [x, y]"], ["a0"]
    for number in range(1, chance.choice((3, 8, 30, 200))):
        many = ", ".join(f"*{chance.choice(names[-3:])}" for _ in range(chance.randint(1, 10)))
        if chance.random() < 0.1:
            many += f", *a{number + chance.randint(0, 1)}"
        lines.append(f"  a{number}: &a{number} " + (f"[{many}]" if chance.random() < 0.7 else f"{{k: [{many}]}}"))
        names.append(f"a{number}")
    return "\n".join(lines).encode()


def structure(chance: Random) -> bytes:
    """Words of the language in places that are not theirs, with values of any kind behind them."""
    read = load.load("", chance.choice(_files()))
    if isinstance(read, Document) and isinstance(read.data, dict) and chance.random() < 0.7:
        made: Json = read.data
        for _ in range(chance.randint(1, 3)):
            made = _with_another_part(chance, made)
        return json.dumps(made).encode()
    words = {chance.choice(_keys()): _value(chance, 4) for _ in range(4)}
    steps: list[Json] = [_record(chance, 4) for _ in range(chance.randint(1, 4))]
    return json.dumps(
        {"runner": 1, "name": "fuzz", **words, "steps": steps}, ensure_ascii=chance.random() < 0.5
    ).encode(errors="surrogatepass")


def _with_another_part(chance: Random, value: Json) -> Json:
    """`value` with one part of it, however deep, replaced by anything, or under another key."""
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [_with_another_part(chance, item) if index == at else item for index, item in enumerate(value)]
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(sorted(value))
        renamed = chance.choice(_keys()) if chance.random() < 0.1 else key
        return {**value, renamed: _with_another_part(chance, value[key])}
    return _value(chance, 3)


def _value(chance: Random, depth: int) -> Json:
    kind = chance.random() if depth else 0
    if kind < 0.4:
        return chance.choice(_SCALARS)
    if kind < 0.6:
        return [_value(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    return _record(chance, depth - 1)


def _record(chance: Random, depth: int) -> dict[str, Json]:
    return {chance.choice(_keys()): _value(chance, depth) for _ in range(chance.randint(0, 5))}


def _expression(chance: Random, depth: int) -> str:
    """Mostly what can be read, of operands that do not go together; here and there a word too many."""
    if chance.random() < 0.05:
        return " ".join(chance.choices(_WORDS, k=chance.choice((1, 2, 3, 8, 100))))
    if depth == 0:
        return chance.choice(_OPERANDS)
    form = chance.choice(_FORMS)
    return re.sub("X", lambda _: _expression(chance, depth - chance.randint(1, 2) if depth > 1 else 0), form)


def expressions(chance: Random) -> bytes:
    """What could be an expression, where one is read."""
    texts = [_expression(chance, chance.randint(0, 4)) for _ in range(3)]
    written = [json.dumps(text) for text in texts]
    return (
        f"{_HEAD}inputs: {{a: {{type: string}}}}\nvars: {{b: {json.dumps('{{ ' + texts[0] + ' }}')}}}\nsteps:\n"
        f"  - id: a\n    if: {written[0]}\n    for_each: {written[1]}\n"
        f"    query: {{entity: E, filter: {written[2]}}}\n"
        f"    expect: [{written[1]}]\n    outputs: {{o: {written[2]}}}\n"
    ).encode()


BY_CHANCE: dict[str, Callable[[Random], bytes]] = {
    make.__name__: make for make in (cut, nested, aliases, structure, expressions)
}


def main(kind: str, count: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_SECONDS, _MOST_CPU_SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        feeder = _Feeder(Path(folder))

        if kind in BY_CHANCE:
            for data in _made(BY_CHANCE[kind], count):
                feeder.feed(data)
        else:
            _feed_with_anything(feeder, count)
    found = {"count": feeder.count, "slowest": feeder.slowest, "megabytes": megabytes(), "codes": sorted(feeder.codes)}
    sys.stdout.write(json.dumps(found))


def _made(make: Callable[[Random], bytes], count: int) -> Iterator[bytes]:
    """Always the same files, with `--new` others: a file that is found to crash is mended, and not met by chance."""
    first = Random().randrange(2**32) if "--new" in sys.argv else 0
    return (make(Random(f"{make.__name__} {first + number}")) for number in range(count))


def megabytes() -> float:
    """The most memory that this program held. What Linux gives as usage counts the parent that forked it, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (held,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(held) / 1024


def _feed_with_anything(feeder: _Feeder, count: int) -> None:
    """Always the same inputs, as above."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415  half a second that others do not need
    from hypothesis import strategies as st  # noqa: PLC0415  likewise

    anything = st.one_of(
        st.binary(max_size=3_000),
        st.text(max_size=1_000).map(lambda text: text.encode(errors="surrogatepass")),
        st.text(alphabet=string.printable, max_size=1_000).map(lambda text: (_HEAD + text).encode()),
    )
    quietly = settings(
        max_examples=count,
        deadline=None,
        derandomize="--new" not in sys.argv,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    quietly(given(anything)(feeder.feed))()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
