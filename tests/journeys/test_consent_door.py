"""GET and POST /consent and /own over a socket: who may choose, and what comes back."""

from collections.abc import Iterator

import pytest

from tests.journeys.asking import Answer, ask
from tests.journeys.running import FIREFOX, GRANTED, Collector, new_seller, running

pytestmark = pytest.mark.slow

SHOP = "https://shop.example"
HTML = {"Accept": "text/html,application/xhtml+xml"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A Collector for a shop of another origin."""
    with running(
        tmp_path_factory.mktemp("consent"),
        ORIGINS=SHOP,
        BRAND_NAME="Agora",
        POLICY_URL="https://shop.example/privacy",
        CONSENT_COOKIE_DOMAIN="shop.example",
    ) as started:
        yield started


def choose(collector: Collector, body: str, origin: str | None = SHOP, **headers: str) -> Answer:
    """Post a choice."""
    sent = {"Content-Type": "text/plain", "User-Agent": FIREFOX, **headers}
    if origin is not None:
        sent["Origin"] = origin
    return ask(collector.beacons, "POST", "/consent", sent, body.encode())


def test_the_choice_is_told_as_json(collector: Collector) -> None:
    """granted, refused, or null; never cached, and for listed origins only."""
    for cookie, choice in (
        ({}, None),
        ({"Cookie": GRANTED}, "granted"),
        ({"Cookie": "statistics_consent=refused.2026-11-22.1"}, "refused"),
        ({"Cookie": f"{GRANTED}; statistics_consent=damaged"}, None),
    ):
        answer = ask(collector.beacons, "GET", "/consent", {**cookie, "Origin": SHOP})
        assert (answer.status, answer.json) == (200, {"choice": choice})
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["cache-control"] == "no-store"
    foreign = ask(collector.beacons, "GET", "/consent", {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers


def test_the_page_names_controller_and_policy_and_loads_nothing(collector: Collector) -> None:
    """A policy of its own lets only its style through, and the form only come back here."""
    answer = ask(collector.beacons, "GET", "/consent?lang=nl", HTML)
    assert answer.headers["content-type"].startswith("text/html")
    assert "Agora" in answer.content.decode()
    assert 'href="https://shop.example/privacy"' in answer.content.decode()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"
    said = ask(
        collector.beacons, "GET", "/consent?said=refused&lang=en", {**HTML, "Cookie": GRANTED}
    )
    assert "were removed" not in said.content.decode()


def test_a_choice_is_kept_for_a_year_in_one_cookie(collector: Collector) -> None:
    """For the whole domain, as the setting says; Secure, because the page that asks is."""
    answer = choose(collector, '{"choice":"granted"}')
    assert (answer.status, answer.json) == (200, {"choice": "granted"})
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "statistics_consent"
    assert rest.startswith("granted.20")
    assert rest.endswith(".1; Path=/; Max-Age=31536000; Domain=shop.example; Secure; SameSite=Lax")


@pytest.mark.parametrize(
    "origin", [None, "null", "http://[", "https://evil.example", "https://a.shop.example"]
)
def test_a_foreign_origin_neither_grants_nor_erases(
    collector: Collector, origin: str | None
) -> None:
    """403, no cookie, and the seller's number stays."""
    seller = new_seller()
    collector.pixel(seller)
    for body in ('{"choice":"granted"}', '{"choice":"refused","withdrawn":true}'):
        answer = choose(collector, body, origin, Cookie=GRANTED)
        assert (answer.status, answer.json["error"]["code"]) == (403, "foreign-origin")
        assert "set-cookie" not in answer.headers
    own = ask(collector.beacons, "POST", "/own", {**FORM, "Origin": origin or ""}, b"own=yes")
    assert own.status == 403
    assert collector.summary(seller) == (1, 1)


def test_refusing_without_ever_having_agreed_removes_nothing(collector: Collector) -> None:
    """Somebody else behind the same address, with the same browser, keeps their visit."""
    seller = new_seller()
    collector.pixel(seller)
    assert choose(collector, '{"choice":"refused"}').status == 200
    assert collector.summary(seller) == (1, 1)
    assert choose(collector, '{"choice":"refused"}', Cookie=GRANTED).status == 200
    assert collector.summary(seller) == (0, 0)


def test_a_form_comes_back_as_a_page(collector: Collector) -> None:
    """The browser is sent back to the page, which then says what was answered."""
    own = f"http://127.0.0.1:{collector.beacons}"
    headers = {**FORM, "Origin": own, "Cookie": GRANTED, "User-Agent": FIREFOX}
    answer = ask(collector.beacons, "POST", "/consent", headers, b"choice=refused&lang=de")
    assert (answer.status, answer.headers["location"]) == (303, "/consent?lang=de&said=refused")
    answer = ask(collector.beacons, "POST", "/own", headers, b"own=yes&lang=de")
    assert (answer.status, answer.headers["location"]) == (303, "/own?lang=de")
    assert answer.headers["set-cookie"].startswith("collector_own=1; ")
    answer = ask(collector.beacons, "POST", "/own", headers, b"own=no")
    assert "Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("path", "kind", "body", "message"),
    [
        ("/consent", "text/plain", b"{}", 'choice: must be "granted" or "refused"'),
        ("/consent", "text/plain", b" " * 5000, "body: at most 4096 bytes allowed"),
        ("/own", FORM["Content-Type"], b"own=perhaps", 'own: must be "yes" or "no"'),
    ],
)
def test_a_bad_answer_changes_nothing(
    collector: Collector, path: str, kind: str, body: bytes, message: str
) -> None:
    """400 with the field and what would do."""
    headers = {"Content-Type": kind, "Origin": SHOP}
    answer = ask(collector.beacons, "POST", path, headers, body)
    assert (answer.status, answer.message) == (400, message)
    assert "set-cookie" not in answer.headers


def test_scripts_are_served_small_and_say_what_gpc_means_here(collector: Collector) -> None:
    """beacon.js within its 1,500 bytes as served; gpc.json for whoever looks."""
    zipped = {"Accept-Encoding": "gzip"}
    answer = ask(collector.beacons, "GET", "/beacon.js", zipped)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.content) <= 1500
    assert (
        ask(collector.beacons, "GET", "/consent.js").headers["content-type"].startswith("text/jav")
    )
    assert ask(collector.beacons, "GET", "/.well-known/gpc.json").json["gpc"] is True


def test_where_a_manager_keeps_the_choice_it_can_only_be_withdrawn_here(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """We can't write Cookiebot's cookie; what it has withdrawn we remove."""
    with running(tmp_path_factory.mktemp("cookiebot"), CONSENT_FORMAT="cookiebot") as other:
        own = f"http://127.0.0.1:{other.beacons}"
        assert choose(other, '{"choice":"granted"}', own).status == 409
        cookie = "CookieConsent={stamp:%27x%27%2Cstatistics:true}"
        seller = new_seller()
        assert other.pixel(seller, cookie=cookie).counted == "yes"
        answer = choose(other, '{"choice":"refused","withdrawn":true}', own)
        assert answer.status == 200
        assert "set-cookie" not in answer.headers
        assert other.pixel(new_seller(), cookie=cookie).counted == "yes"
        page = ask(other.beacons, "GET", "/consent", HTML)
        assert b"<button" not in page.content
