"""A new secret and a revocation: what they break and what they don't, as docs/signing.md says."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.journeys import backend
from tests.journeys.asking import Answer, ask, eventually
from tests.journeys.running import Collector, new_seller, prepared

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signed_in(collector: Collector, seller: str) -> dict[str, str]:
    """Return the cookie of a new session."""
    body = urlencode({"token": collector.token("login", seller)}).encode()
    answer = ask(collector.reports, "POST", "/dashboard/login", FORM, body)
    assert answer.status == 303, answer.content
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def dashboard(collector: Collector, session: dict[str, str]) -> int:
    """Return the status of a seller's overview."""
    return ask(collector.reports, "GET", "/dashboard/", session).status


def summary(collector: Collector, token: str) -> int:
    """Return the status of a question to the API."""
    return collector.api("summary", token, from_="2026-01-01", to="2026-01-02").status


def location(collector: Collector, token: str) -> int:
    """Return the status of a question for a country."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return ask(collector.beacons, "POST", "/location", headers, b'{"chosen": "GR"}').status


def shared(collector: Collector, session: dict[str, str]) -> str:
    """Return the path of a new share link."""
    until = datetime.now(UTC).date() + timedelta(days=30)
    body = urlencode({"until": until.isoformat()}).encode()
    answer = ask(collector.reports, "POST", "/dashboard/share", FORM | session, body)
    assert answer.status == 200, answer.content
    return "/dashboard/shared/" + answer.content.decode().split("/dashboard/shared/")[1][:32] + "/"


def visit(collector: Collector, seller: str, signature: str) -> Answer:
    """Send the one visitor's view."""
    return collector.pixel(seller, "p", sig=signature)


def replace_secret(collector: Collector, *, keep_previous: bool) -> str:
    """Restart with a new secret; return the one before."""
    old, new = collector.secret, secrets.token_hex(32)
    collector.stop()
    collector.secret = collector.settings["SECRET"] = new
    collector.settings.pop("SECRET_PREVIOUS", None)
    if keep_previous:
        collector.settings["SECRET_PREVIOUS"] = old
    collector.start()
    return old


@pytest.mark.slow
def test_a_new_secret_keeps_pages_and_visitors_and_ends_tokens(tmp_path: Path) -> None:
    """With SECRET_PREVIOUS the pages in caches go on counting, and who came before the change and
    after it is one visitor; tokens and sessions end; a link that was shared goes on. Without
    SECRET_PREVIOUS the old pages are refused too, and the visitor counts anew."""
    seller = new_seller()
    with prepared(tmp_path / "collector") as collector:
        collector.start()
        old_tag = collector.signature(seller, "p")
        stats, cart = collector.token("stats", seller), collector.token("location")
        session = signed_in(collector, seller)
        link = shared(collector, session)
        assert visit(collector, seller, old_tag).counted == "yes"
        assert (summary(collector, stats), dashboard(collector, session)) == (200, 200)
        assert location(collector, cart) == 200

        replace_secret(collector, keep_previous=True)
        new_tag = collector.signature(seller, "p")
        assert new_tag != old_tag
        assert visit(collector, seller, old_tag).counted == "yes"
        assert visit(collector, seller, new_tag).counted == "yes"
        assert collector.summary(seller) == (3, 1)
        assert (summary(collector, stats), dashboard(collector, session)) == (401, 401)
        assert location(collector, cart) == 401
        assert ask(collector.reports, "GET", link).status == 200
        again = collector.cli("token", "--scope", "stats", "--seller", seller)
        assert summary(collector, again) == 200

        replace_secret(collector, keep_previous=False)
        assert visit(collector, seller, new_tag).counted == "bad-signature"
        assert visit(collector, seller, collector.signature(seller, "p")).counted == "yes"
        assert collector.summary(seller) == (4, 2)


@pytest.mark.slow
def test_a_revocation_ends_what_was_issued_and_nothing_else(tmp_path: Path) -> None:
    """One seller's tokens and session end at once, another's don't; then everybody's, the cart's
    and the shared links too. What is signed later is good; pages never notice."""
    seller, other = new_seller(), new_seller()
    with prepared(tmp_path / "collector") as collector:
        collector.start()
        stats, others = collector.token("stats", seller), collector.token("stats", other)
        session, cart = signed_in(collector, seller), collector.token("location")
        link = shared(collector, session)

        assert "that seller" in collector.cli("revoke", "--seller", seller)
        assert (summary(collector, stats), dashboard(collector, session)) == (401, 401)
        assert (summary(collector, others), location(collector, cart)) == (200, 200)
        later = backend.token(collector.secret, scope="stats", sub=seller)
        assert eventually(lambda: summary(collector, later) == 200, "a token issued later")

        assert "everybody" in collector.cli("revoke")
        assert (summary(collector, others), summary(collector, later)) == (401, 401)
        assert location(collector, cart) == 401
        assert ask(collector.reports, "GET", link).status == 404
        tag = collector.signature(seller, "p")
        assert visit(collector, seller, tag).counted == "yes"
