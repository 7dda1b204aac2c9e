"""That nothing of the program writes to stdout or stderr but the one module that is there for it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

RUNNER = Path(__file__).parents[2] / "runner"
DOOR = RUNNER / "terminal" / "output.py"
SILENCED = RUNNER / "fleet" / "library_messages.py"
"""Procrastinate and psycopg's pool log what they see to stderr, where nobody has asked for it: their loggers are
switched off here, and what other libraries warn of becomes a line of the worker's. `logging` is used for nothing else.
"""
STREAMS = frozenset(("stdout", "stderr", "__stdout__", "__stderr__"))
WORDS = re.compile(r"\b(print|input|sys|click|rich|traceback|warnings|logging|Console|os\.write)\b")
"""One of them is in every module that writes; only those are parsed."""
WRITERS = frozenset(
    (
        *("click.echo", "click.secho", "click.echo_via_pager", "click.confirm", "click.prompt", "click.pause"),
        *("click.progressbar", "click.get_text_stream", "click.get_binary_stream", "click.version_option"),
        *("rich.print", "rich.print_json", "traceback.print_exc", "traceback.print_exception", "warnings.warn"),
    )
)


def writes(tree: ast.AST) -> Iterator[str]:
    """The places where something is written past the door, or could be."""
    kinds = (ast.Attribute, ast.Call, ast.Import, ast.ImportFrom)
    for node in (node for node in ast.walk(tree) if isinstance(node, kinds)):
        match node:
            case ast.Call(func=ast.Name(id="print" | "input" as called)):
                yield f"{node.lineno}: {called}"
            case ast.Attribute(value=ast.Name(id="sys"), attr=attribute) if attribute in STREAMS:
                yield f"{node.lineno}: sys.{attribute}"
            case ast.Attribute(value=ast.Name(id=module), attr=attribute) if f"{module}.{attribute}" in WRITERS:
                yield f"{node.lineno}: {module}.{attribute}"
            case ast.ImportFrom(module=str(module), names=names):
                for name in names:
                    if (module == "sys" and name.name in STREAMS) or f"{module}.{name.name}" in WRITERS:
                        yield f"{node.lineno}: {module}.{name.name}"
            case ast.Import(names=names) if any(name.name == "logging" for name in names):
                yield f"{node.lineno}: logging"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="write"), args=[ast.Constant(), *_]):
                yield f"{node.lineno}: os.write to a number"
            case ast.Call(func=ast.Name(id="Console")) if not any(word.arg == "file" for word in node.keywords):
                yield f"{node.lineno}: a console of rich that writes to stdout"
            case _:
                pass


def logs(tree: ast.AST) -> set[str]:
    """What is used of `logging`."""
    used = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    return {node.attr for node in used if ast.unparse(node.value) == "logging"}


def test_no_module_writes_to_a_stream_but_the_one_that_makes_it_safe() -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(RUNNER.rglob("*.py")) if file != DOOR}
    found = {
        str(file.relative_to(RUNNER)): places
        for file, text in texts.items()
        if WORDS.search(text) and (places := list(writes(ast.parse(text))))
    }
    silenced = found.pop(str(SILENCED.relative_to(RUNNER)), [])
    assert found == {}
    assert [place.partition(": ")[2] for place in silenced] == ["logging"]
    allowed = {"getLogger", "CRITICAL", "WARNING", "Handler", "LogRecord", "captureWarnings"}  # none has a stream
    assert logs(ast.parse(SILENCED.read_text(encoding="utf-8"))) == allowed


@pytest.mark.parametrize(
    "text",
    [
        "print(1)",
        "click.echo('a')",
        "sys.stderr.write('a')",
        "from sys import stdout",
        "from click import echo",
        "import logging",
        "os.write(2, b'a')",
        "Console()",
    ],
)
def test_each_way_past_the_door_is_found(text: str) -> None:
    assert WORDS.search(text)
    assert list(writes(ast.parse(text)))
