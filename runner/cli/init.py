"""`runner init`: starts a project, or with `--deploy` writes what applies its jobs in a cluster, a CI or by a timer.

It writes over no file: none of the project itself must be there, and what other tools read is left as it is.
"""

import shlex
from pathlib import Path

import click

from runner.cli import hints, options
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, UsageError
from runner.reports.safe import safe
from runner.scaffold.new_files import write_files
from runner.scaffold.new_project import AT_THE_ROOT, project_files
from runner.terminal import output

KINDS = ("kubernetes", "argocd", "flux", "github", "gitlab", "compose", "cron")
"""What `--deploy` writes files for."""


@click.command("init", cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@options.option(
    "--deploy",
    type=hints.OneWord(KINDS),
    help="Write files that carry out the jobs in FOLDER there: in a cluster, in a CI, or on one machine.",
)
@options.targets(
    "With --deploy: a site that workers serve; several times: each has workers of its own. Without it all sites "
    "in targets.yaml."
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
        from runner.scaffold.deploy import Deployment, deploy  # noqa: PLC0415  90 ms: it reads the jobs

        wanted = Deployment(
            kind=given["deploy"],
            folder=folder,
            targets=given["target"],
            image=given["image"],
            secret=given["db_secret"],
        )
        deploy(wanted, called=called, is_root=root == whole)
        return ExitCode.PASSED
    _refuse_options_of_deploy(context)
    write_files(list(project_files(folder, called=called)))
    if root != whole:
        names = " and ".join(AT_THE_ROOT)
        output.data(f"\n{names} count only at the root of the checkout: move them to {safe(str(root))}\n")
    output.data(f"\nnext: runner run {safe(shlex.quote(str(folder)))}\n")
    return ExitCode.PASSED


def _refuse_options_of_deploy(context: click.Context) -> None:
    """Raise `UsageError` for an option that somebody has typed, and that is for `--deploy` only."""
    for name, option in (("target", "--target"), ("image", "--image"), ("db_secret", "--db-secret")):
        if context.params[name] and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            hint = f"add `--deploy KIND`: {', '.join(KINDS)}"
            raise UsageError(Problem(code="E150", message=f"`{option}` is for `--deploy` only", hint=hint))
