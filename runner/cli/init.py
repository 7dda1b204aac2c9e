"""`runner init`: starts a project, or with `--deploy` writes what applies its jobs in a cluster, a CI or by a timer.

It writes over no file: none of the project itself must be there, and what other tools read is left as it is.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from runner.cli import hints, options
from runner.cli.new_files import ADDED_TO, NewFile, write_files
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.json_schema.schemas import shipped_text
from runner.reports.safe import safe
from runner.terminal import output
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
"""What is written where, from which template, and what it is. A template's own name begins with no dot: such a file
would count for the repository that holds it.
"""
PROJECT_SCHEMAS = ("job", "targets", "process")
_OF_OTHERS = (".vscode/settings.json", ".pre-commit-config.yaml", ".github/workflows/creatio.yml")
"""Files that other tools read, and that a repository has already."""
_AT_THE_ROOT = (".pre-commit-config.yaml", ".github")
KINDS = ("kubernetes", "argocd", "flux", "github", "gitlab", "compose", "cron")
"""What `--deploy` writes files for."""


@click.command("init", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@options.option(
    "--deploy",
    type=hints.OneWord(KINDS),
    help="Write files that carry out the jobs in FOLDER there: in a cluster, in a CI, or on one machine.",
)
@options.option(
    "-t",
    "--target",
    multiple=True,
    type=options.Filled(),
    metavar="NAME",
    help="With --deploy: a site that workers serve; several times: each has workers of its own. Without it all sites "
    "in targets.yaml.",
)
@options.option(
    "--image",
    metavar="NAME",
    type=options.Filled(),
    help="With --deploy: what the container's image is called. [default: ghcr.io/OWNER/creatio-runner]",
)
@options.option(
    "--db-secret",
    metavar="NAME",
    type=options.Filled(),
    help="With --deploy: the Secret of Kubernetes with the database's address. [default: creatio-runner-db]",
)
@click.pass_context
def init(context: click.Context, /, **_: object) -> int:
    r"""Start a project in FOLDER, the current one without: a job, targets, a double of a process, JSON Schemas for
    editors, and entries for VS Code, pre-commit, GitHub and git.

    With --deploy, write what carries out the jobs in FOLDER with `runner apply`: files for Kubernetes, Argo CD or Flux
    with the workers of a fleet, an action and a workflow for GitHub, a template for GitLab, a file for Docker Compose,
    or a timer of systemd and a line for cron. What is left to do is printed.

    \b
    Examples:
      runner init smoke && runner run smoke
      runner init specs --deploy github
      runner init specs --deploy argocd -t staging --image registry.example.com/creatio-runner

    No file that is there already is written over: where it is the job, the targets, the double or a schema, nothing is
    written at all, and the exit code is 2. Files for other tools are left as they are, and named; to a .gitignore a
    line is added.
    """
    given = context.params
    folder: Path = given["folder"]
    whole = folder.resolve()
    root = next((above for above in (whole, *whole.parents) if (above / ".git").exists()), whole)
    called = whole.relative_to(root).as_posix()
    if given["deploy"] is not None:
        from runner.cli.deploy import deploy  # noqa: PLC0415  90 ms: it reads the jobs

        return deploy(context, called=called, is_root=root == whole)
    _refuse_options_of_deploy(context)
    write_files(list(new_files(folder, called=called)))
    if root != whole:
        names = " and ".join(_AT_THE_ROOT)
        output.data(f"\n{names} count only at the root of the checkout: move them to {safe(str(root))}\n")
    output.data(f"\nnext: runner run {safe(shlex.quote(str(folder)))}\n")
    return ExitCode.PASSED


def _refuse_options_of_deploy(context: click.Context) -> None:
    """Raise `UsageError` for an option that somebody has typed, and that is for `--deploy` only."""
    for name, option in (("target", "--target"), ("image", "--image"), ("db_secret", "--db-secret")):
        if context.params[name] and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            hint = f"add `--deploy KIND`: {', '.join(KINDS)}"
            raise UsageError(Problem(code="E150", message=f"`{option}` is for `--deploy` only", hint=hint))


def new_files(folder: Path, *, called: str) -> Iterator[NewFile]:
    """The files of a project; `called` is the folder's name in commands that are given at the root of the checkout."""
    for name, (template, what) in FILES.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        filled = text.replace("@FOLDER@", shlex.quote(called)).replace("@VERSION@", VERSION)
        yield NewFile(path=folder / name, text=filled, what=what, may_be_there=name in (*_OF_OTHERS, ADDED_TO))
    for schema in PROJECT_SCHEMAS:
        path = folder / "schema" / f"{schema}.schema.json"
        yield NewFile(path=path, text=shipped_text(schema), what=f"`runner schema {schema}`, for editors")
