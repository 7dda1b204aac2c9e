"""Rows that came since a call and are dated before its watermark: the site's clock was set back, or a node has another.

Nobody knows which call started them. Such a row proves nothing, but while it is there the call is not made again.
"""

from runner.engine import start_bounds, starts
from runner.engine.effects import Running
from runner.engine.process_log import WATERMARK, all_rows
from runner.engine.readings import Unread
from runner.engine.state import LogState, OpenRow, Start
from runner.foundation import server_time
from runner.service import calls
from runner.service.calls import LogRow


def rows_before_watermark(row: OpenRow, start: Start) -> Running[list[LogRow]]:
    """Rows that may have begun since the call by another clock, read only where these can be before the watermark."""
    log, mark = row.log, server_time.parse_record(start.mark or "")
    now, sent = log.server_time(row.t), log.server_time(start.sent)
    if mark is None or now is None or sent is None or log.clocks_differ or start.breaks != log.breaks:
        return []
    is_set_back = mark > now + starts.AHEAD
    since = sent - start_bounds.EARLIER if is_set_back else _not_known_since(log, start, sent)
    if mark <= since:
        return []
    rows = yield from all_rows(row, calls.ReadRows(process=start.process, since=server_time.written(since)))
    if isinstance(rows, Unread):
        return []
    return [
        found
        for found in rows
        if found.id not in log.seen
        and found.parent is None
        and (log.owner is None or found.owner in (None, log.owner))
        and (began := found.began) is not None
        and since <= began <= now + start_bounds.LATER
        and began < mark
    ]


def _not_known_since(log: LogState, start: Start, sent: float) -> float:
    """The active second since which unknown rows have come: the newest were read before."""
    _, newest = log.before.get(start.process, (0.0, ()))
    oldest = min(each.began for each in newest) if len(newest) >= WATERMARK else 0.0
    return max(sent - starts.LONG_AGO, oldest)
