-- The database of a fleet, version 1: plain SQL, all of it in the schema `runner`. `runner fleet migrate` applies it.
create schema if not exists runner;

-- One row. `carrier` is the last migration of the queue's own tables; `history_bytes` the size of `history`.
create table runner.meta (
  single boolean primary key default true check (single),
  version int not null,
  carrier text not null,
  history_bytes bigint not null default 0
);

-- Which database this is: another after it was restored from a dump, or when another server has taken over. What was
-- done since then may be forgotten here.
create function runner.server() returns text language sql volatile as $$
  select concat_ws('.', (select system_identifier from pg_control_system()),
    (select timeline_id from pg_control_checkpoint()), (select oid from pg_database where datname = current_database()))
$$;

-- A run. Whoever opens its events raises `fence`; a process with a lower one can append nothing any more.
create table runner.runs (
  id uuid primary key,
  fleet text not null default '',
  title text not null default '',              -- job[case]@target
  job text not null default '',
  target text not null default '',             -- its name: workers serve targets by name
  url text not null default '',                -- of the site
  lock text,                                   -- runs with the same lock are carried out one after another
  plan text not null default '',               -- JSON, as it was applied: texts of files, inputs, no secret
  kept text,                                   -- `plan.json`, written when the run begins
  engine text,                                 -- the version of the program that began it
  replay int,                                  -- workers with another replay version cannot resume it
  "commit" text,
  created_at timestamptz not null default now(),
  state text not null default 'queued' check (
    state in ('waiting', 'queued', 'running', 'parked', 'held', 'refused', 'cancelled', 'ended')
  ),
  fence bigint not null default 0,
  seq int not null default 0,                  -- lines in `events`
  head text not null default repeat('0', 64),  -- SHA-256 of the last line
  server text not null default runner.server(), -- that the run was put into, or opened on last
  worker text,                                 -- that opened it last
  updated_at timestamptz not null default now(),
  status text,                                 -- this and what follows is drawn from the events
  exit_code int,
  seconds float8,
  in_doubt int not null default 0,
  note text                                    -- why it waits, or was refused
) with (fillfactor = 50);
-- No index has a column that an append changes: else PostgreSQL could not update the row in place.
create index runs_title on runner.runs (fleet, title);
create index runs_open on runner.runs (state) where state <> 'ended';
-- Runs are counted from an index alone, and those that are listed found by another: no row of another run is read.
create index runs_target on runner.runs (target, state, status, replay);
create index runs_listed on runner.runs (id) where state in ('waiting', 'running', 'held', 'refused')
  or (state in ('queued', 'parked') and replay is not null)
  or (state = 'ended' and (status <> 'passed' or in_doubt > 0));

-- The lines of `events.jsonl`, byte for byte, without their line ends.
create table runner.events (
  run uuid not null references runner.runs on delete cascade,
  seq int not null,
  kind text not null,
  line text not null,
  primary key (run, seq)
);

-- Results that are too large for a line.
create table runner.results (
  run uuid not null references runner.runs on delete cascade,
  sha256 text not null,
  content bytea not null,
  primary key (run, sha256)
);

-- A line for each run that has ended; it outlives the runs.
create table runner.history (n bigint generated always as identity primary key, line bytea not null);

-- Which rows of process logs belong to which call, and starts that still lack their row. Both outlive the runs.
-- Moments are seconds since the epoch, by the clock of this server.
create table runner.log_rows (id text primary key, run uuid not null, key text not null, at float8 not null);
create table runner.starts (
  n bigint generated always as identity primary key,
  run uuid not null,
  key text not null,
  site text not null,
  process text not null,
  began float8 not null,
  ends float8 not null
);
create index starts_process on runner.starts (site, process);
create index starts_run on runner.starts (run, key);

create function runner.epoch() returns float8 language sql volatile as $$
  select extract(epoch from clock_timestamp())::float8
$$;

-- The commit of this transaction does not wait for the disk. Nothing is lost by that which anybody relied on: each
-- commit of events waits, and then all that was committed before is on the disk, too.
create function runner.waits_for_no_disk() returns boolean language sql volatile as $$
  select set_config('synchronous_commit', 'off', true) is not null
$$;

-- Whose `rows` are, which the call of `key` may have made. Runs on one site ask one after another. To ask twice, as
-- where an answer was lost on its way, is to ask once.
create function runner.ask_rows(
  mine uuid, key text, site text, codes text[], rows text[], keys text[], certain boolean, late float8, now float8,
  out taken text[], out rival boolean
) language plpgsql as $$
declare
  own text[] := array_append(keys, key);
  free text[];
  fresh bigint;
  first float8;
  last float8;
begin
  perform runner.waits_for_no_disk(), pg_advisory_xact_lock(hashtextextended(site, 7165));
  select coalesce(array_agg(r.id), '{}') into taken from runner.log_rows r
    where r.id = any (rows) and (r.run <> mine or (certain and r.key <> all (own)));
  select min(s.began), max(s.ends) into first, last from runner.starts s
    where s.run = mine and s.process = any (codes) and s.key = any (own);
  rival := not certain and exists (
    select from runner.starts s
    where s.site = ask_rows.site and s.process = any (codes) and s.run <> mine
      and s.began <= coalesce(last, now) and s.ends >= coalesce(first - late, 0));
  free := array(select unnest(rows) except select unnest(taken));
  -- Of rows that are those of the call already its start is gone.
  rival := rival and (cardinality(free) = 0 or exists (select from unnest(free) f where not exists (
    select from runner.log_rows r where r.id = f and r.run = mine and r.key = any (own))));
  if keys is null or rival then
    return;
  end if;
  with given as (
    insert into runner.log_rows as r (id, run, key, at) select f, mine, ask_rows.key, now from unnest(free) f
    on conflict (id) do update set key = excluded.key, at = excluded.at
      where r.run = excluded.run and r.key <> excluded.key
    returning 1
  ) select count(*) into fresh from given;
  if fresh > 0 and cardinality(free) >= cardinality(keys) then
    delete from runner.starts d
      where d.n in (select max(s.n) from runner.starts s where s.run = mine and s.key = any (keys) group by s.key);
  end if;
end $$;

-- Whose turn it is to start a process on a site. It is the run's, and outlives its worker.
create table runner.turns (
  site text not null,
  process text not null,
  run uuid not null references runner.runs on delete cascade,
  primary key (site, process)
);
create index turns_run on runner.turns (run);

-- When the next call may go to a site whose target has a `rate`.
create table runner.pace (site text primary key, next timestamptz not null);

-- What people want of runs: `resume`, with or without a verdict on a row, `reconcile`, `stop`.
create table runner.orders (
  n bigint generated always as identity primary key,
  run uuid not null references runner.runs on delete cascade,
  kind text not null check (kind in ('resume', 'reconcile', 'stop')),
  key text,
  verdict text,
  result text,                                 -- JSON
  even_though boolean not null default false,
  by text not null,                            -- USER@HOST
  ci_user text,                                -- for whom the CI has ordered it
  at timestamptz not null default now(),
  done_at timestamptz
);
create index orders_open on runner.orders (run) where done_at is null;

-- Workers, by the id that the queue gives them.
create table runner.workers (
  id bigint primary key,
  name text not null,
  targets text[] not null,
  jobs int not null,
  replay int not null,
  began timestamptz not null default now(),
  suspended jsonb not null default '{}'       -- by target whose site lets this worker not in: `reason`, `since`
);

-- Sign-ins that were refused, and those under way. A worker signs in only where nobody else with the same credentials
-- is about to, and not before `next`.
create table runner.sign_ins (
  site text not null,                          -- SHA-256 of its URL and the account
  credentials text not null,                   -- one byte of a hash, which distinguishes those of one account
  worker text not null,                        -- that tries, or tried last
  refusals int not null default 0,             -- one after another
  next timestamptz not null default now(),
  busy_until timestamptz,                      -- after that, who tries is taken for dead
  primary key (site, credentials)
);

-- What was applied: versions of jobs at targets. Each `fleet` has its own: two repositories may share a database.
create table runner.ledger (
  fleet text not null default '',
  digest text not null,                        -- of all that decides what is done
  job text not null,
  "case" text,
  target text not null,
  url text not null,
  folder text not null,                        -- of the job's file, from the project's folder
  key text,                                    -- `--for`, or the stretch of `--every`
  title text not null,                         -- job[case]@target
  pruned boolean not null default false,       -- its job is gone, and is left out of lists
  primary key (fleet, digest)
);
create index ledger_title on runner.ledger (fleet, title);

-- Attempts at a version, in their order. They outlive the runs.
create table runner.attempts (
  n bigint generated always as identity primary key,
  fleet text not null,
  digest text not null,
  run uuid unique,                             -- none where the version was adopted
  began_at timestamptz not null,
  place text not null default '',
  "commit" text,
  status text,                                 -- how it ended
  exit_code int,
  ended_at timestamptz,
  foreign key (fleet, digest) references runner.ledger
);
create index attempts_version on runner.attempts (fleet, digest);
create index attempts_unsettled on runner.attempts (fleet) where status is null or status = 'unknown';

-- A run that is `waiting` is queued when each run that it needs has passed; with `after`, when that has ended and is
-- not in doubt: so two runs of one title are never under way at once, whatever locks they have.
create table runner.needs (
  run uuid not null references runner.runs on delete cascade,
  needed uuid not null references runner.runs on delete cascade,
  after boolean not null default false,
  primary key (run, needed)
);
create index needs_needed on runner.needs (needed);

-- The queue of a target; with `replay` that of its runs which only such workers can resume. The name is part of a
-- channel, of which PostgreSQL takes 63 bytes.
create function runner.queue_name(target text, replay int default null) returns text language sql immutable as $$
  select case when octet_length(target) > 32 then left(encode(sha256(target::bytea), 'hex'), 32) else target end
    || coalesce('#' || replay, '')
$$;

-- Who ends runs shares this lock; who queues some, or cancels them, has it alone: else a run that is put while what it
-- needs passes would wait for ever.
create function runner.share_fleet(fleet text) returns void language sql as $$
  select pg_advisory_xact_lock_shared(hashtextextended(fleet, 7166))
$$;
create function runner.own_fleet(fleet text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended(fleet, 7166))
$$;

-- Whether a run lets another begin that waits for it.
create function runner.lets_begin(needed runner.runs, after boolean) returns boolean language sql stable as $$
  select case
    when not after then needed.status is not distinct from 'passed'
    else needed.state in ('refused', 'cancelled') or (needed.state = 'ended' and needed.status <> 'unknown')
  end
$$;

-- Queue those of these runs that wait for nothing any more.
create function runner.queue_ready(waiting uuid[]) returns void language sql as $$
  with ready as (
    update runner.runs w set state = 'queued', note = null, updated_at = now()
    where w.state = 'waiting' and w.id = any (waiting)
      and not exists (
        select from runner.needs n join runner.runs r on r.id = n.needed
        where n.run = w.id and not runner.lets_begin(r, n.after))
    returning w.id, w.target, w.lock
  )
  insert into runner.procrastinate_jobs (queue_name, task_name, lock, args)
  select runner.queue_name(target), 'carry', lock, jsonb_build_object('run', id) from ready order by id
$$;

-- The ledger learns how a run ended, and runs that waited for it are queued, in the transaction of its last line.
create function runner.run_ended() returns trigger language plpgsql as $$
declare
  waiting uuid[];
begin
  perform runner.share_fleet(new.fleet);
  update runner.attempts set status = coalesce(new.status, new.state), ended_at = now(),
    exit_code = coalesce(new.exit_code, case new.state when 'refused' then 6 else 3 end)
    where run = new.id;
  waiting := array(
    select id from runner.runs where state = 'waiting' and id in (select run from runner.needs where needed = new.id)
    order by id for update);  -- of two runs that end at once the second sees the first
  perform runner.queue_ready(waiting);
  return null;
end $$;

create index procrastinate_jobs_run on runner.procrastinate_jobs ((args ->> 'run'));

create trigger run_ended after update on runner.runs for each row
  when (new.status is not null and new.status is distinct from old.status
    or new.state in ('refused', 'cancelled') and new.state is distinct from old.state)
  execute function runner.run_ended();

-- The runs that wait, and begin only after a person has done something: for which job they wait.
create view runner.blocked as
  with recursive found as (
    select n.run, r.title from runner.runs w
    join runner.needs n on n.run = w.id join runner.runs r on r.id = n.needed
    where w.state = 'waiting' and not runner.lets_begin(r, n.after)
      and r.state in ('held', 'refused', 'cancelled', 'ended')
    union
    select n.run, found.title from found
    join runner.needs n on n.needed = found.run join runner.runs w on w.id = n.run and w.state = 'waiting'
  )
  select run, min(title) as title from found group by run;
