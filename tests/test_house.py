"""The house's own checks: formatting, lint, types, floors. What lands has passed them like every other test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
CACHE = () if (ROOT / ".mypy_cache").exists() else ("--cache-dir=/dev/null",)
"""Writing a cache takes mypy 3 s, in a new checkout for nothing."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        pytest.param(("mypy", *CACHE), marks=pytest.mark.first),
        ("lint-imports",),
    ],
    ids=["formatting", "lint", "types", "floors"],
)
def test_the_tool_finds_nothing(command: tuple[str, ...]) -> None:
    found = subprocess.run([TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_ci_runs_the_line_of_the_readme_and_nothing_weaker() -> None:
    line = "python3 -m venv --upgrade-deps .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest"
    assert line in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == line


def test_the_root_holds_what_belongs_there_and_no_file_of_a_test() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("an unpacked archive: nobody knows what is tracked")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    visible = {name.partition("/")[0] for name in tracked if not name.startswith(".")}
    assert visible == {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "runner", "schema", "specs", "tests"}


def test_code_cites_no_page_that_is_not_in_the_project() -> None:
    """A module names a page below `runner/`; a section that it names after a comma is a heading there."""
    for module in sorted((ROOT / "runner").rglob("*.py")):
        for page, sections in re.findall(
            r"`([\w/]+\.md)`(?:, ([A-Z][\w -]*(?: and [A-Z][\w-]*)?))?", module.read_text()
        ):
            path = next((at / page for at in (ROOT / "runner", ROOT) if (at / page).is_file()), None)
            assert path is not None, f"{module} cites {page}"
            for section in filter(None, sections.split(" and ")):
                assert re.search(rf"^## {section}", path.read_text(), re.MULTILINE), f"{module} cites {section}"


OF_EXAMPLES = {"job/actions/count.py", "engine/actions/count.py", "reports/tap.py", "service/auth/api_key.py"}
"""Modules that the map adds to show how."""


def test_the_readme_is_no_longer_than_a_visitor_reads() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 300


def test_every_path_and_name_on_the_map_is_there() -> None:
    pages = "".join((ROOT / "runner" / name).read_text() for name in ("README.md", "DECISIONS.md"))
    page = re.sub(r"(?ms)^```.*?^```$", "", pages)

    def found(path: str) -> Path | None:
        above = (ROOT / "runner", ROOT, ROOT / "runner" / "reports")
        return next((root / path for root in above if (root / path).is_file()), None)

    paths = set(re.findall(r"`(\w+/[\w./-]+\.\w+)`", page)) - OF_EXAMPLES
    assert {path for path in paths if found(path) is None} == set()
    named = re.findall(r"`(\w+)`(?: and `(\w+)`)? (?:of|in) `(\w+/[\w./-]+\.\w+)`", page)
    missing = {
        (name, path)
        for *names, path in named
        for name in filter(None, names)
        if (file := found(path)) is not None and re.search(_named_in(path, name), file.read_text()) is None
    }
    assert missing == set()


def _named_in(path: str, name: str) -> str:
    """In a table of hints it is a key, not a word of a hint."""
    return rf"(?m)^[^'\"#]*\b{name}\b" if path.endswith(".yaml") else rf"\b{name}\b"


def test_the_name_of_a_type_means_one_thing_in_the_whole_program() -> None:
    places: dict[str, list[str]] = {"Path": ["pathlib"]}
    for module in sorted((ROOT / "runner").rglob("*.py")):
        for of_class, alias in re.findall(r"^(?:class (\w+)|(\w+): TypeAlias)", module.read_text(), re.MULTILINE):
            places.setdefault(of_class or alias, []).append(str(module.relative_to(ROOT)))
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}
