"""`runner plan`: prints what would be sent; sends nothing, starts nothing, reads no secret of a target."""

import click

from runner.cli import options
from runner.cli.preparing import Prepared, prepare, wanted
from runner.events import TargetName
from runner.plan import Plan, plan
from runner.preview import preview
from runner.problems import ExitCode
from runner.report import mistakes
from runner.secrets.redact import Secrets
from runner.targets.model import SandboxTarget


@click.command("plan", short_help="Print what would be sent; send nothing.")
@options.SPECS
@options.TARGET
@options.TARGETS
@options.INPUTS
@options.INPUTS_FILE
@options.TAGS
@options.KEYWORD
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Print what `runner run` would send: what is known is worked out, the rest stands as its source in ⟨ ⟩.

    \b
    Example:
      runner plan specs/contact-smoke.job.yaml -i phone="+1 202 555 0100"
    """
    preparation = prepare(wanted(context))
    click.echo(mistakes.text(preparation.warnings), nl=False, err=True)
    if not preparation.runs:
        click.echo("nothing was selected", err=True)
        return ExitCode.NOTHING_SELECTED
    click.echo("\n".join(preview(_plan(prepared)) for prepared in preparation.runs), nl=False)
    return ExitCode.PASSED


def _plan(prepared: Prepared) -> Plan:
    target = prepared.target
    is_sandbox = isinstance(target, SandboxTarget)
    name = TargetName(name=target.name, url="" if isinstance(target, SandboxTarget) else target.url, sandbox=is_sandbox)
    return plan(prepared.job, source=prepared.source, inputs=prepared.inputs, target=name, secrets=Secrets())
