"""Runs of a fleet by the thousand, as rows: half of them queued, the others passed but for one in fifty."""

from runner.fleet import database


def make_many_runs(dsn: str, *, count: int) -> None:
    with database.connect(dsn) as sql:
        sql.execute(
            """
insert into runs (id, title, job, target, plan, state, status, exit_code)
select gen_random_uuid(), 'job' || n || '@t' || mod(n, 10), 'job' || n, 't' || mod(n, 10), repeat('x', 1000),
  case when mod(n, 2) = 0 then 'queued' else 'ended' end,
  case when mod(n, 2) = 0 then null when mod(n, 50) = 1 then 'failed' else 'passed' end,
  case when mod(n, 2) = 1 then 0 end
from generate_series(1, %s) n
""",
            [count],
        )
        sql.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args) "
            "select queue_name(target), 'carry', jsonb_build_object('run', id) from runs where state = 'queued'"
        )
        sql.execute("vacuum analyze")
