"""Retention: counts older than KEEP_COUNTS_DAYS are deleted, once a day."""

from datetime import date, timedelta

from collector.warehouse import Client, ask, tell


def delete_expired(client: Client, today: date, keep_days: int) -> int:
    """Delete counts of days before the kept ones; return how many rows went. 0 keeps for ever.

    Errors  Unanswered; call again.
    """
    if not keep_days:
        return 0
    cutoff = {"cutoff": today - timedelta(days=keep_days)}
    expired = int(ask(client, "expired_count", cutoff)[0][0])
    if expired:
        tell(client, "delete_expired", cutoff)
    return expired
