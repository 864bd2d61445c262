"""Access: tokens, sign-ins and revocations between the command line and both ports."""

import http.client
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys import backend
from tests.journeys.asking import Answer, ask
from tests.journeys.running import Collector

pytestmark = pytest.mark.slow

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REVOKED = "token: revoked; ask for a new one"


def today() -> dict[str, str]:
    """Return the range of today alone."""
    day = datetime.now(UTC).date().isoformat()
    return {"from_": day, "to": day}


def sign_in(collector: Collector, token: str) -> Answer:
    """Post the sign-in form as the button does."""
    body = urlencode({"token": token}).encode()
    return ask(collector.reports, "POST", "/dashboard/login", FORM, body)


def page(collector: Collector, cookie: str) -> Answer:
    """Ask for the seller's page with a session."""
    return ask(collector.reports, "GET", "/dashboard/", {"Cookie": cookie})


def test_a_token_from_the_command_line_shows_its_sellers_numbers(
    collector: Collector, seller: str
) -> None:
    """The seller sees what was counted for them and not one view of anybody else."""
    assert collector.pixel(seller).counted == "yes"
    assert collector.pixel(f"{seller}-other").counted == "yes"
    assert collector.summary(seller) == (1, 1)
    answer = collector.api("summary", collector.token("stats", seller), **today())
    assert (answer.json["views"], answer.json["visitor_days"]) == (1, 1)


def refused(answer: Answer) -> str:
    """Return the sentence of a refusal, which must have the contract's shape."""
    assert answer.status == 401
    error = answer.json["error"]
    assert (error["code"], error["field"]) == ("unauthorised", "Authorization")
    return str(error["message"])


NOW = int(time.time())
CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": NOW - 1}, "token: expired; ask for a new one"),
    "future": ({"iat": NOW + 9000, "exp": NOW + 9999}, 'token: its "iat" lies in the future; '),
    "another service's": ({"aud": "shop"}, 'token: its "aud" must be "collector"'),
    "a location token": ({"scope": "location"}, 'token: its scope is "location", needed is '),
    "a sign-in": ({"scope": "login", "exp": NOW + 60, "jti": "x"}, "token: "),
    "nobody's": ({"sub": None}, 'token: "sub" must name the seller'),
    "an operator's by a backend's key": ({"scope": "operator"}, "token: signed with another key"),
}


@pytest.mark.parametrize(("claims", "sentence"), CLAIMS.values(), ids=CLAIMS)
def test_a_token_that_is_not_good_is_refused_by_the_api(
    collector: Collector, seller: str, claims: dict[str, Any], sentence: str
) -> None:
    """Signed with the right key, and still: expired, of another service, for another door."""
    token = backend.token(collector.secret, **({"scope": "stats", "sub": seller} | claims))
    assert refused(collector.api("summary", token, **today())).startswith(sentence)


@pytest.mark.parametrize("bearer", ["", "nonsense", "a.b.c", "x" * 20_000])
def test_what_is_no_token_is_refused_by_both_ports(collector: Collector, bearer: str) -> None:
    """On the sellers' port and at the location door: 401 and a sentence, never an error of ours."""
    header = {"Authorization": f"Bearer {bearer}"}
    api = ask(collector.reports, "GET", "/api/v1/summary?from=2026-01-01&to=2026-01-02", header)
    door = ask(collector.beacons, "POST", "/location", header, b'{"ip": "203.0.113.7"}')
    for answer in (api, door):
        assert refused(answer).split(":")[0] in ("Authorization", "token")


def test_a_token_signed_by_somebody_else_is_refused(collector: Collector, seller: str) -> None:
    """Another marketplace's secret opens nothing here, nor does the page-tag key."""
    for token in (
        backend.token("x" * 64, scope="stats", sub=seller),
        backend.token(collector.secret, "page-tag", scope="stats", sub=seller),
    ):
        said = refused(collector.api("summary", token, **today()))
        assert said == "token: signed with another key than this server's"


def test_a_sellers_token_opens_no_other_door(collector: Collector, seller: str) -> None:
    """Not the location door, not the operator's; and it can't name another seller."""
    header = {"Authorization": f"Bearer {collector.token('stats', seller)}"}
    door = ask(collector.beacons, "POST", "/location", header, b'{"ip": "203.0.113.7"}')
    assert refused(door) == 'token: its scope is "stats", needed is location'
    for method, path in (("GET", "/metrics"), ("PUT", "/operator/products")):
        assert refused(ask(collector.reports, method, path, header)).endswith("needed is operator")
    named = collector.api("summary", collector.token("stats", seller), seller="other", **today())
    assert named.status in (400, 403)


def test_a_sign_in_works_once(collector: Collector, seller: str) -> None:
    """The button posts the token, the session opens the seller's page, and the same link is
    refused from then on: a forwarded mail signs nobody in."""
    token = collector.token("login", seller)
    first = sign_in(collector, token)
    assert first.status == 303
    cookie = first.headers["set-cookie"]
    assert cookie.startswith("collector_session=")
    assert "HttpOnly" in cookie
    assert page(collector, cookie.partition(";")[0]).status == 200
    second = sign_in(collector, token)
    assert second.status == 401
    assert "set-cookie" not in second.headers
    assert token.encode() not in second.content


def test_looking_at_a_sign_in_does_not_use_it_up(collector: Collector, seller: str) -> None:
    """A mail program fetches the link to show a preview; the seller's own click works after it."""
    token = collector.token("login", seller)
    for _ in range(2):
        looked = ask(collector.reports, "GET", f"/dashboard/login?token={token}")
        assert looked.status == 200
        assert "set-cookie" not in looked.headers
    assert sign_in(collector, token).status == 303


def test_two_clicks_at_once_sign_in_once(collector: Collector, seller: str) -> None:
    """Two requests with the same token are under way at the same moment."""
    token = collector.token("login", seller)
    body = urlencode({"token": token}).encode()
    connections = [
        http.client.HTTPConnection("127.0.0.1", collector.reports, timeout=30) for _ in range(4)
    ]
    for connection in connections:
        connection.request("POST", "/dashboard/login", body, FORM)
    statuses = sorted(connection.getresponse().status for connection in connections)
    for connection in connections:
        connection.close()
    assert statuses == [303, 401, 401, 401]


def test_a_revocation_ends_tokens_and_sessions_at_once(collector: Collector, seller: str) -> None:
    """`collector revoke --seller` while both processes run: the seller's token, session and unused
    sign-in are refused from the next request on; a new token works; others never noticed."""
    other = f"{seller}-other"
    token, others = collector.token("stats", seller), collector.token("stats", other)
    cookie = sign_in(collector, collector.token("login", seller)).headers["set-cookie"]
    session = cookie.partition(";")[0]
    unused = collector.token("login", seller)
    assert collector.api("summary", token, **today()).status == 200
    assert page(collector, session).status == 200
    said = collector.cli("revoke", "--seller", seller)
    assert said == "Tokens and sessions of that seller that were issued until now are refused" + (
        " from here on."
    )
    assert refused(collector.api("summary", token, **today())) == REVOKED
    assert page(collector, session).status != 200
    assert sign_in(collector, unused).status == 401
    assert collector.api("summary", others, **today()).status == 200
    fresh = collector.cli("token", "--scope", "stats", "--seller", seller)
    assert collector.api("summary", fresh, **today()).status == 200


def test_a_revocation_ends_links_that_were_shared(collector: Collector, seller: str) -> None:
    """Who held the seller's session may have made a link that lasts a year: it ends too, and
    another seller's doesn't. A link that the seller makes afterwards works."""
    first, others = share(collector, seller), share(collector, f"{seller}-other")
    assert [shown(collector, link) for link in (first, others)] == [200, 200]

    said = collector.cli("revoke", "--seller", seller)

    assert said.endswith("from here on. Share links ended: 1.")
    assert [shown(collector, link) for link in (first, others)] == [404, 200]
    assert shown(collector, share(collector, seller)) == 200


def share(collector: Collector, seller: str) -> str:
    """Return the path of a link that a seller makes in a session of his own."""
    cookie = sign_in(collector, collector.token("login", seller)).headers["set-cookie"]
    headers = FORM | {"Cookie": cookie.partition(";")[0]}
    form = urlencode({"until": datetime.now(UTC).date().isoformat()}).encode()
    answer = ask(collector.reports, "POST", "/dashboard/share", headers, form)
    assert answer.status == 200, answer.content
    found = re.search(rb"/dashboard/shared/[\w-]+/", answer.content)
    assert found is not None
    return found[0].decode()


def shown(collector: Collector, link: str) -> int:
    """Return the status with which a link answers."""
    return ask(collector.reports, "GET", link).status


def test_everything_can_be_revoked(collector: Collector, seller: str) -> None:
    """Without a seller it is everybody: also the marketplace's own location token."""
    location = collector.cli("token", "--scope", "location")
    header = {"Authorization": f"Bearer {location}"}
    body = b'{"ip": "203.0.113.7"}'
    assert ask(collector.beacons, "POST", "/location", header, body).status == 200
    token = collector.cli("token", "--scope", "stats", "--seller", seller)
    collector.cli("revoke")
    collector._tokens.clear()
    assert refused(ask(collector.beacons, "POST", "/location", header, body)) == REVOKED
    assert refused(collector.api("summary", token, **today())) == REVOKED


def test_an_empty_seller_revokes_nobody(collector: Collector, seller: str) -> None:
    """A script's variable was empty."""
    token = collector.cli("token", "--scope", "stats", "--seller", seller)
    said = collector.cli("revoke", "--seller", "", expect=1)
    assert said == "Error: seller: must be 1 to 128 characters without control characters"
    assert collector.api("summary", token, **today()).status == 200
