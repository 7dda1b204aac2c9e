"""Every code is explained, and the examples are true: what is called wrong gets that code, what is called right none.

An explanation is a file; to write one is to write its tests.
"""

import re
import shutil
from pathlib import Path

import pytest
from msgspec.structs import asdict

from runner.explanations.read import as_markdown, as_text, explanation, grouped, titles
from runner.expressions.filters.table import FILTERS
from runner.expressions.filters.tests import TESTS
from runner.expressions.names import JOB_FUNCTIONS, TARGET_FUNCTIONS
from runner.project.project import open_project, open_targets

ROOT = Path(__file__).parents[1]
SANDBOX = ROOT / "specs" / "sandbox"
FOLDER = ROOT / "runner" / "explanations"
OF_FILES = ["Wrong", "Right", "Check"]
OF_RUNS = ["Looks like", "What to do"]
WRITTEN = sorted(file.stem for file in FOLDER.glob("*.md"))
WITH_EXAMPLES = [code for code in WRITTEN if list(explanation(code).sections) == OF_FILES]


def examples(code: str, section: str) -> list[tuple[str, str, str]]:
    """Language, file and text of each; the file is empty where any name will do."""
    return re.findall(r"(?ms)^```(\w+)(?: (\S+))?\n(.*?)^```$", explanation(code).sections.get(section, ""))


def codes_of(code: str, section: str, folder: Path) -> set[str]:
    """The codes that `validate` tells of the files of one section."""
    shutil.copytree(SANDBOX, folder / "sandbox")
    shared = [each for each in examples(code, "Wrong") if each[1] and section == "Right"]
    for language, name, text in [*shared, *examples(code, section)]:
        assert language in {"yaml", "csv"}
        file = folder / (name or "a.job.yaml")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    project = open_project([folder], targets=None, environment={})
    if not project.files and (folder / "targets.yaml").exists():
        open_targets(folder / "targets.yaml", project)
    assert project.files or project.problems or section == "Right"
    return {problem.code for problem in project.problems}


@pytest.mark.parametrize("code", WITH_EXAMPLES)
def test_the_wrong_example_of_a_code_gets_just_that_code(code: str, tmp_path: Path) -> None:
    assert codes_of(code, "Wrong", tmp_path) == {code}


@pytest.mark.parametrize("code", WITH_EXAMPLES)
def test_nothing_is_reported_of_the_right_example(code: str, tmp_path: Path) -> None:
    assert codes_of(code, "Right", tmp_path) == set()


@pytest.mark.parametrize("code", WRITTEN)
def test_an_explanation_has_its_fixed_shape(code: str) -> None:
    explained = explanation(code)

    assert list(explained.sections) in (OF_FILES, OF_RUNS)
    assert explained.meaning.endswith(".")
    assert "\n\n\n" not in as_text(explained)
    for section in ("Check", "What to do"):
        assert all(line.startswith("- ") for line in explained.sections.get(section, "- ").splitlines())
    assert all(len(examples(code, name)) >= 1 for name in ("Wrong", "Right") if name in explained.sections)


@pytest.mark.parametrize("code", [code for code in WRITTEN if code not in WITH_EXAMPLES])
def test_what_a_run_or_command_can_meet_is_shown_as_it_looks(code: str) -> None:
    ((language, _, text),) = examples(code, "Looks like")

    assert language == "console"
    assert re.search(rf"\b{code}\b", text) or code == "E155"


def test_every_code_that_is_reported_is_explained_and_nothing_else_is() -> None:
    modules = (ROOT / "runner").rglob("*.py")
    reported = {code for module in modules for code in re.findall(r'"(E\d{3})"', module.read_text())}

    assert reported == set(WRITTEN)


def test_every_filter_test_and_function_is_listed_where_an_unknown_one_is_explained() -> None:
    section = explanation("E124").sections["Check"]
    listed = {
        kind: set(re.findall(r"`(\w+)", rest))
        for kind, rest in re.findall(r"^- (Tests|Functions)\b[^:]*: (.*)", section, re.MULTILINE)
    }

    assert re.findall(r"^- Filter `(\w+)`: \S.*\.$", section, re.MULTILINE) == sorted(FILTERS)
    assert listed["Tests"] == {name for name in TESTS if name.isidentifier()}  # the others are signs
    assert listed["Functions"] == (JOB_FUNCTIONS.keys() | TARGET_FUNCTIONS.keys() | {"if"})


def test_each_code_is_in_one_group() -> None:
    listed = [code for _, codes in grouped() for code in codes]

    assert listed == list(titles())
    assert len({words for words, _ in grouped()}) == len(grouped())


def test_an_explanation_is_drawn_as_text_markdown_and_json() -> None:
    explained = explanation("E104")

    assert as_text(explained).startswith("E104: unknown key\n\nThis key is not known here.\n")
    assert "\nWrong:\n\n    runner: 1\n    name: contacts\n" in as_text(explained)
    assert "```" not in as_text(explained)
    assert as_markdown(explained).startswith("# E104: unknown key\n")
    assert "\n## Right\n\n```yaml\nrunner: 1\n" in as_markdown(explained)
    assert set(asdict(explained)) == {"code", "title", "meaning", "sections"}


def test_an_example_of_several_files_names_them() -> None:
    assert "\n  cases.csv\n    name,contact\n" in as_text(explanation("E136"))
    assert [name for _, name, _ in examples("E136", "Wrong")] == ["a.job.yaml", "cases.csv"]
