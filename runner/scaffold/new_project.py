"""The files of a new project: a job, targets, a double, JSON Schemas for editors, and entries for other tools."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from runner.json_schema.schemas import shipped_text
from runner.scaffold.new_files import ADDED_TO, NewFile
from runner.version import VERSION

_TEMPLATES = Path(__file__).parent / "init_files"
FILES = {
    "hello.job.yaml": ("hello.job.yaml", "a job"),
    "targets.yaml": ("targets.yaml", "where jobs go: the sandbox, and a site to fill in"),
    "sandbox/UsrGreet.process.yaml": ("greet.process.yaml", "the double of a process"),
    ".vscode/settings.json": ("settings.json", "completion and checks in VS Code"),
    ".pre-commit-config.yaml": ("pre-commit.yaml", "checks before each commit"),
    ".github/workflows/creatio.yml": ("workflow.yml", "checks and a rehearsal in CI"),
    ".gitignore": ("gitignore", "runs are not for git"),
}
"""What is written where, from which template. None is named with a dot: it would count for our repository."""
PROJECT_SCHEMAS = ("job", "targets", "process")
_OF_OTHERS = (".vscode/settings.json", ".pre-commit-config.yaml", ".github/workflows/creatio.yml")
"""Files that other tools read, and that a repository has already."""
AT_THE_ROOT = (".pre-commit-config.yaml", ".github")


def project_files(folder: Path, *, called: str) -> Iterator[NewFile]:
    """The files of a project; `called` is the folder's name in commands that are given at the root of the checkout."""
    for name, (template, what) in FILES.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        filled = text.replace("@FOLDER@", shlex.quote(called)).replace("@VERSION@", VERSION)
        yield NewFile(path=folder / name, text=filled, what=what, may_be_there=name in (*_OF_OTHERS, ADDED_TO))
    for schema in PROJECT_SCHEMAS:
        path = folder / "schema" / f"{schema}.schema.json"
        yield NewFile(path=path, text=shipped_text(schema), what=f"`runner schema {schema}`, for editors")
