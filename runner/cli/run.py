"""`runner run`: carries jobs out, tells how it goes, writes the reports."""

import os

import click

from runner.cli import options, output, permission, reports
from runner.cli.command import carry_out, telling_of, waits_for, with_reports
from runner.cli.locking import claim_of
from runner.cli.prepared import RunSet, RunSpec, wanted
from runner.cli.preparing import prepare
from runner.cli.run_pool import Carried, PendingRun, Run, begin
from runner.cli.serving import Sandboxes
from runner.cli.stored_plans import PlanClaims
from runner.cli.stored_runs import unwritable
from runner.cli.telling import RunConsole
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode
from runner.hosts.judgement import Judgement
from runner.project.sites import Sites
from runner.reading.files import read_text
from runner.reports import console, mistakes
from runner.runs.store import RunStore, StoreError


@click.command("run", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.TARGET
@options.TARGETS
@options.CATALOG
@options.INPUTS
@options.INPUTS_FILE
@options.TAGS
@options.KEYWORD
@options.JOBS
@options.FAIL_FAST
@options.LAST_FAILED
@options.YES
@options.CONFIRM
@click.option("--again", is_flag=True, help="Carry out a kept plan that has been carried out before.")
@options.HOLD
@options.WAIT_LOCK
@options.WAIT_READY
@options.GRACE
@options.option("--allow-empty", is_flag=True, help="Nothing selected is fine: exit 0, not 5.")
@options.RUNS
@options.QUIET
@options.VERBOSE
@options.reports
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""Carry out every job in SPEC: job files, or folders that hold them (*.job.yaml); or plans that `plan --out` kept.

    \b
    Examples:
      runner run specs
      runner run specs/contact-smoke.job.yaml -t staging -i phone="+1 202 555 0100"
      runner run specs --tags "smoke and not slow" --report-junit junit.xml
      runner run specs -t staging -t production --confirm production -x
      runner run billing.job.yaml --hold --wait-lock 10m
      runner run specs -t staging --wait-ready --catalog git.catalog.yaml
      runner run release.plan.json

    \b
    Exit codes:
      0  everything selected passed
      1  an expectation or a process failed
      2  a mistake in a file or on the command line; nothing was sent
      3  no usable answer: cannot connect, cannot sign in, nonsense
      4  an outcome is unknown: it may or may not have happened; `runner show last` says what settles it
      5  nothing was selected, so nothing ran
      6  refused by a guard: a protected target, `allow`, a lock that another run holds, a question that nobody can
         answer, a kept plan that has been carried out before; nothing was sent
      70 a fault of this program · 129, 130, 143 hung up, interrupted, terminated
    """
    wanted_reports = reports.asked_for(context)
    reports.check(wanted_reports, read=reports.read_by(context))
    allowed = permission.given(context)
    preparation = prepare(wanted(context))
    output.say_lines(mistakes.text(preparation.warnings))
    if not context.params["quiet"]:
        for line in preparation.told:
            output.say(line)
        output.say_lines(preparation.left_below)
    if not preparation.runs:
        return _nothing(preparation, wanted_reports, accepted=context.params["allow_empty"])
    claims = PlanClaims(context.params["runs"], preparation.runs, again=context.params["again"])
    claims.check()
    permission.check(preparation.runs, allowed)
    side_by_side = min(context.params["jobs"], len(preparation.runs)) > 1
    telling = telling_of(context, wanted_reports, side_by_side=side_by_side)
    carried, code = _carry_out(context, preparation, claims, telling)
    if len(preparation.runs) > 1:
        results = [run.result for run in carried.runs]
        telling.say(console.closing(results, encoding=telling.out.encoding))
    return with_reports(wanted_reports, carried, code)


def _carry_out(
    context: click.Context, preparation: RunSet, claims: PlanClaims, telling: RunConsole
) -> tuple[Carried, ExitCode]:
    """Make every site ready, then carry the runs out."""
    given = context.params
    store: RunStore = given["runs"]
    alone = given["jobs"] == 1 or len(preparation.runs) == 1
    judgement = Judgement(hold=given["hold"])
    sandboxes = Sandboxes(store)
    with Sites(serve=sandboxes.serve, learn=sandboxes.learn, environment=os.environ, read_file=read_text) as sites:

        def waiting(prepared: RunSpec) -> PendingRun:
            def begun() -> Run:
                run = begin(prepared, sites, store, alone=alone, judgement=judgement)
                claims.note(prepared, run.facts.id)
                return run

            lock = claim_of(prepared.job, prepared.target, sites.of(prepared.target))
            return PendingRun(title=prepared.title, lock=lock, begin=begun)

        all_of_them = [waiting(prepared) for prepared in preparation.runs]
        until_ready = waits_for(sites, preparation.runs, context)
        try:
            store.prepare()
        except StoreError as error:
            raise unwritable(store, error) from error
        claims.take()
        try:
            carried, code = carry_out(all_of_them, telling, context, yes=given["yes"], until_ready=until_ready)
        finally:
            claims.give_back()
    sandboxes.forget(carried.runs)
    return carried, code


def _nothing(preparation: RunSet, wanted_reports: reports.Places, *, accepted: bool) -> ExitCode:
    output.say(f"{preparation.nothing}, so nothing ran")
    reports.write(wanted_reports, [])
    return ExitCode.PASSED if accepted else ExitCode.NOTHING_SELECTED
