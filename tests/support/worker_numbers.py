"""Other numbers for a worker of a test's fleet than for any: after how long others are taken for dead, how long it
waits for a database, and which journals it can replay. Nothing else of the runner is replaced.
"""

from unittest import mock

from runner.cli import worker as worker_verb
from runner.engine import carry_out
from runner.execution import fleet_run, resume_run
from runner.fleet import leaving, worker


def replace(dead: float, patience: float, replay: int) -> None:
    """In the forked process, before the worker begins."""
    mock.patch.multiple(worker, DEAD=dead, BEAT=dead / 6, PATIENCE=patience).start()
    mock.patch.object(fleet_run, "PATIENCE", patience).start()
    for user in (carry_out, fleet_run, leaving, resume_run, worker_verb):
        mock.patch.object(user, "REPLAY", replay).start()
