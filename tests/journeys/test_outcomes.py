"""What becomes of a beacon: told to its sender in X-Counted, and counted per day."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.journeys.asking import Answer, ask, eventually, raw
from tests.journeys.running import FIREFOX, GRANTED, SAFARI, Collector, running

SHOP = "https://shop.example"
VIEWS_MAX = 3
SETTINGS = {"ORIGINS": SHOP, "VISITOR_VIEWS_MAX": str(VIEWS_MAX)}
PIXEL_BYTES = 43
REFUSED = "statistics_consent=refused"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
JSON_COOKIE = 'cc_cookie={"categories":["necessary","analytics"],"a b":"\\"c=1,"}'

# What the sender does differently, and what becomes of it.
SAID: list[tuple[str, dict[str, Any]]] = [
    ("yes", {}),
    ("yes", {"headers": {"Sec-GPC": "0", "DNT": "0"}}),
    ("yes", {"cookie": f"a=b; {GRANTED}; {GRANTED}"}),
    ("yes", {"cookie": f"{JSON_COOKIE}; {GRANTED}"}),
    ("yes", {"cookie": f"{GRANTED}; {JSON_COOKIE}"}),
    ("no-consent", {"cookie": None}),
    ("no-consent", {"cookie": "session=1; theme=dark"}),
    ("no-consent", {"cookie": "statistics_consent=maybe"}),
    ("no-consent", {"cookie": "statistics_consent="}),
    ("no-consent", {"cookie": f"my_{GRANTED}"}),
    ("no-consent", {"cookie": f'note={{"x":"{GRANTED}"}}'}),
    ("no-consent", {"cookie": f"{GRANTED}; statistics_consent=maybe"}),
    ("no-consent", {"cookie": f"{GRANTED}; padding={'x' * 40_000}"}),
    ("refused", {"cookie": REFUSED}),
    ("refused", {"cookie": f"{GRANTED}; {REFUSED}"}),
    ("refused", {"cookie": f"{REFUSED}; {GRANTED}"}),
    ("refused", {"cookie": f"{JSON_COOKIE}; {REFUSED}"}),
    ("gpc", {"headers": {"Sec-GPC": "1"}}),
    ("gpc", {"headers": {"Sec-GPC": "1", "DNT": "1"}, "cookie": REFUSED}),
    ("dnt", {"headers": {"DNT": "1"}}),
    ("own", {"cookie": f"{GRANTED}; collector_own=1"}),
    ("prefetch", {"headers": {"Sec-Purpose": "prefetch"}}),
    ("prefetch", {"headers": {"Sec-Purpose": "prefetch;prerender"}}),
    ("prefetch", {"headers": {"Sec-Purpose": "Prefetch; anonymous-client-ip"}}),
    ("prefetch", {"headers": {"Purpose": "prefetch"}}),
    ("prefetch", {"headers": {"X-Moz": "prefetch"}}),
    ("prefetch", {"headers": {"X-Purpose": "preview"}}),
    ("bot", {"agent": GOOGLEBOT}),
    ("bot", {"agent": "curl/8.14.1"}),
    ("bot", {"agent": ""}),
    ("bot", {"agent": None}),
    ("bad-signature", {"sig": "A" * 22}),
    ("bad-signature", {"sig": "A"}),
    ("bad-signature", {"sig": "ü" * 22}),
    ("malformed", {"sig": ""}),
    ("malformed", {"url": "x" * 4097}),
    ("malformed", {"more": "1"}),
]
STATUS = {"bad-signature": 403, "malformed": 400, "over-limit": 429}
IDS = [f"{number} {outcome}" for number, (outcome, _) in enumerate(SAID)]


def send(collector: Collector, way: str, seller: str, **given: Any) -> Answer:
    """Send one beacon: by the pixel, by the script's POST, or by a pixel whose unusual address
    keeps it from the express way."""
    if way == "odd pixel":
        return collector.pixel(seller, path="/pixel%2Egif", **given)
    return (collector.pixel if way == "pixel" else collector.post)(seller, **given)


@pytest.mark.parametrize("way", ["pixel", "odd pixel", "post"])
@pytest.mark.parametrize(("outcome", "given"), SAID, ids=IDS)
def test_every_beacon_is_told_what_became_of_it(
    collector: Collector, seller: str, way: str, outcome: str, given: dict[str, Any]
) -> None:
    """Whoever sends a beacon reads in X-Counted that it counts, or the one reason why not; only
    what the page's maker has to mend is an error."""
    answer = send(collector, way, seller, **given)
    assert answer.counted == outcome
    assert answer.status == STATUS.get(outcome, 204 if way == "post" else 200)
    assert answer.headers["cache-control"] == "no-store"
    assert not {"set-cookie", "etag", "last-modified"} & set(answer.headers)


@pytest.mark.parametrize(("outcome", "given"), SAID, ids=IDS)
def test_an_image_comes_back_whatever_the_status(
    collector: Collector, seller: str, outcome: str, given: dict[str, Any]
) -> None:
    """A page never shows a broken image, however wrong its pixel is."""
    answer = send(collector, "pixel", seller, **given)
    assert answer.headers["content-type"] == "image/gif"
    assert answer.content[:6] == b"GIF89a"
    assert len(answer.content) == PIXEL_BYTES
    assert ("x-counted-why" in answer.headers) == (outcome in STATUS)


@pytest.mark.parametrize("way", ["pixel", "post"])
def test_a_visitor_past_the_limit_is_told_so_and_no_longer_counted(
    collector: Collector, seller: str, way: str
) -> None:
    """A page that reloads itself for a day stops counting at the limit; time reports have a limit
    of their own, another product and another browser are not held up."""
    counted = [send(collector, way, seller).counted for _ in range(VIEWS_MAX)]
    over = send(collector, way, seller)
    assert counted == ["yes"] * VIEWS_MAX
    assert (over.counted, over.status) == ("over-limit", 429)
    assert collector.post(seller, seconds=3).counted == "yes"
    assert collector.post(seller, "another").counted == "yes"
    assert send(collector, way, seller, agent=SAFARI).counted == "yes"
    assert collector.summary(seller) == (VIEWS_MAX + 2, 2)


@pytest.mark.slow
def test_every_outcome_is_counted_per_day(directory: Path, seller: str) -> None:
    """An operator sees in `collector status` what became of today's beacons, each of them once."""
    sent: Counter[str] = Counter()
    with running(directory, **SETTINGS) as collector:
        for way in ("pixel", "post"):
            for number, (_, given) in enumerate(SAID):
                sent[send(collector, way, f"{seller}-{number}", **given).counted] += 1
        for _ in range(VIEWS_MAX + 2):
            sent[collector.pixel(seller).counted] += 1
        assert sent["over-limit"] == 2
        eventually(lambda: outcomes(collector) == sent, f"{sent} in status")


def outcomes(collector: Collector) -> Counter[str]:
    """Read today's beacons by outcome off the operator's screen."""
    line = next(each for each in collector.cli("status").splitlines() if each.startswith("today"))
    counted = re.search(r"(\d+) beacons counted", line)
    assert counted is not None
    others = re.findall(r"([a-z-]+) (\d+)", line.partition("not counted:")[2])
    return Counter({"yes": int(counted[1])} | {name: int(number) for name, number in others})


@pytest.mark.parametrize("cookie", [None, REFUSED, "theme=dark", f"{GRANTED}; {REFUSED}"], ids=str)
@pytest.mark.parametrize("way", ["pixel", "post"])
def test_without_consent_the_answer_has_the_same_bytes_for_everybody(
    collector: Collector, seller: str, way: str, cookie: str | None
) -> None:
    """Neither address nor user agent is read before the visitor's yes, so nothing in the answer
    can depend on them: not for a robot, not for a stranger's address, not for garbage."""
    answers = set()
    for source in ("127.0.0.1", "127.0.0.9"):
        for agent in (FIREFOX, SAFARI, GOOGLEBOT, "", "\\xff\\x00" * 50):
            for forwarded in ("", "203.0.113.7", "not an address"):
                request = request_bytes(collector, seller, way, cookie, agent, forwarded)
                answers.add(raw(collector.beacons, request, source=source))
    assert len(answers) == 1
    assert b"x-counted: yes" not in answers.pop()


def request_bytes(
    collector: Collector, seller: str, way: str, cookie: str | None, agent: str, forwarded: str
) -> bytes:
    """Spell a request out: a client's library would add headers of its own."""
    signature = collector.signature(seller, "p")
    body = f'{{"seller":"{seller}","product":"p","sig":"{signature}"}}' if way == "post" else ""
    lines = [
        "POST /beacon HTTP/1.1"
        if way == "post"
        else f"GET /pixel.gif?seller={seller}&product=p&sig={signature} HTTP/1.1",
        "Host: stats.example",
        "Connection: close",
        f"User-Agent: {agent}",
    ]
    lines += [f"Cookie: {cookie}"] if cookie is not None else []
    lines += [f"X-Forwarded-For: {forwarded}"] if forwarded else []
    lines += [f"Content-Length: {len(body)}"] if body else []
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode("latin-1")


def test_only_listed_origins_may_read_what_became_of_a_beacon(
    collector: Collector, seller: str
) -> None:
    """A script of the shop reads X-Counted and may send its cookies; any other page may not, and
    nobody gets a wildcard. A cache can't hand one origin's answer to another."""
    for one in (collector.pixel, collector.post):
        listed = one(seller, headers={"Origin": SHOP}).headers
        assert listed["access-control-allow-origin"] == SHOP
        assert listed["access-control-allow-credentials"] == "true"
        assert listed["access-control-expose-headers"] == "X-Counted"
        for origin in ("https://evil.example", "null", "*", f"{SHOP}.evil.example", f"{SHOP}:444"):
            other = one(seller, headers={"Origin": origin})
            assert not [name for name in other.headers if name.startswith("access-control")]
            assert other.headers["vary"] == "origin"


def test_a_preflight_opens_the_door_to_listed_origins_only(collector: Collector) -> None:
    """A shop on another host may send application/json; a stranger's preflight grants nothing."""
    asked = {"Access-Control-Request-Method": "POST"}
    listed = ask(collector.beacons, "OPTIONS", "/beacon", {"Origin": SHOP} | asked)
    other = ask(collector.beacons, "OPTIONS", "/beacon", {"Origin": "https://a.example"} | asked)
    assert (listed.status, listed.headers["access-control-allow-origin"]) == (204, SHOP)
    assert listed.headers["access-control-allow-methods"] == "POST"
    assert listed.headers["access-control-allow-headers"] == "content-type"
    assert not [name for name in other.headers if name.startswith("access-control")]


def test_names_in_every_script_survive_both_ways(collector: Collector, seller: str) -> None:
    """What the backend signed is what is counted, byte for byte: Greek, an emoji, a plus, a
    percent sign, composed and decomposed letters stay what they are."""
    products = ["Ελιές 1+1 50%", "caf\u00e9", "cafe\u0301", "🫒 & ?=#", "a/b;c", " spaced "]
    for product in products:
        assert collector.pixel(seller, product).counted == "yes", product
        assert collector.post(seller, product).counted == "yes", product
    assert collector.summary(seller) == (2 * len(products), 1)
    answer = collector.api("products", collector.token("stats", seller), **today())
    assert {each["product"]: each["views"] for each in answer.json["products"]} == dict.fromkeys(
        products, 2
    )


def test_a_query_may_be_percent_encoded_by_anybodys_rules(
    collector: Collector, seller: str
) -> None:
    """Some clients write a blank as %20, others as a plus; some encode letters that need none."""
    product = "Olive oil"
    signature = quote(collector.signature(seller, product))
    for spelled in ("Olive%20oil", "Olive+oil", "%4Flive%20oi%6c"):
        path = f"/pixel.gif?product={spelled}&sig={signature}&seller={seller}&"
        headers = {"Cookie": GRANTED, "User-Agent": FIREFOX}
        assert ask(collector.beacons, "GET", path, headers).counted == "yes", spelled


def today() -> dict[str, str]:
    """Return the range of today alone."""
    day = datetime.now(UTC).date().isoformat()
    return {"from_": day, "to": day}
