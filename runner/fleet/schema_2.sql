-- What version 2 adds to the tables of version 1.

-- Targets whose sites let this worker not in: JSON, by target `reason` and `since`, in seconds since the epoch.
alter table runner.workers add column suspended jsonb not null default '{}';

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

-- Runs are counted from an index alone, and those that are listed found by another: no row of another run is read.
drop index runner.runs_target;
create index runs_target on runner.runs (target, state, status, replay);
create index runs_listed on runner.runs (id) where state in ('waiting', 'running', 'held', 'refused')
  or (state in ('queued', 'parked') and replay is not null)
  or (state = 'ended' and (status <> 'passed' or in_doubt > 0));
