"""A site whose clock was set back: what begins then is written before the watermark, and no reading since shows it.

Rows that began at that time by the old clock cannot be distinguished from it. So such a row proves nothing; that it
failed is a sign, and as long as it is there the call is not made again.
"""

from runner.engine import start_bounds, starts
from runner.engine.effects import Running
from runner.engine.process_log import Unread, all_rows
from runner.engine.state import OpenRow, Start
from runner.foundation import server_time
from runner.foundation.values import JsonObject
from runner.service import calls


def rows_before_watermark(row: OpenRow, start: Start) -> Running[list[JsonObject]]:
    """The rows that are not known, and began since the call by the server's time of now, where its watermark is later
    than that. Nothing is read where it is not, nor where the log is known to be of another clock.
    """
    log, mark = row.log, server_time.of_record(start.mark or "")
    now, sent = log.server_time(row.t), log.server_time(start.sent)
    if mark is None or now is None or sent is None or log.clocks_differ or start.breaks != log.breaks:
        return []
    if mark <= now + starts.AHEAD:
        return []
    since = sent - start_bounds.EARLIER
    rows = yield from all_rows(row, calls.ReadRows(process=start.process, since=server_time.written(since)))
    if isinstance(rows, Unread):
        return []
    return [
        found
        for found in rows
        if str(found["id"]) not in log.seen
        and found.get("parent") is None
        and (log.owner is None or found.get("owner") in (None, log.owner))
        and (began := starts.began_at(found)) is not None
        and since <= began <= now + start_bounds.LATER
    ]
