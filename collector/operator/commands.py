"""What the operator's commands do that need no running process."""

from collector import secret
from collector.access import Access
from collector.hit import is_name
from collector.settings import Settings


def revoke(settings: Settings, seller: str | None, now: int) -> str:
    """Refuse all tokens and sessions issued until now; return a sentence for the operator.

    The running processes see it at the next request: they ask the same file.

    Errors  ValueError with a sentence for a seller who can't be: an empty variable in a script
            must not sign everybody out.
    """
    if seller is not None and not is_name(seller):
        raise ValueError("seller: must be 1 to 128 characters without control characters")
    access = Access.of(settings.data_dir, secret.load(settings), lambda: float(now))
    try:
        # Tokens carry whole seconds: one issued in this second is among those revoked.
        access.revoke(seller, issued_before=now + 1)
    finally:
        access.close()
    whose = "of that seller" if seller is not None else "of everybody"
    return f"Tokens and sessions {whose} that were issued until now are refused from here on."
