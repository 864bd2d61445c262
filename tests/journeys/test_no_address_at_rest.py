"""No address at rest: not in a file, not in a log, whatever was asked and however it ended."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.clickhouse_server import engine_of
from tests.journeys.asking import Answer, ask
from tests.journeys.processes import descendants
from tests.journeys.running import GRANTED, ROOT, Collector, new_seller, prepared
from tests.journeys.traces import search, traces

pytestmark = pytest.mark.slow

KILL = signal.SIGKILL
SHOP = "https://shop.example"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
IPV4, UNTRUSTED_IPV4, LOOKED_UP = "198.51.100.183", "203.0.113.214", "192.0.2.171"
IPV6, LOOKED_UP_IPV6 = "2001:db8:9d3c:71ba:e05f:83c1:6a9e:d4b7", "2001:db8:c7e1:5af3::b86d"
MAPPED = "::ffff:198.51.100.229"
PEER = "127.83.171.209"
FORWARDED = (IPV4, IPV6, MAPPED, f"{UNTRUSTED_IPV4}, {IPV4}:4711", f"[{IPV6}]:443")
AGENT_MARK, COOKIE_MARK, PATH_MARK = "Qwyjibo/7.31", "sid-Xyzzy81723", "Plugh-4f-path"
AGENTS = (
    f"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 {AGENT_MARK}",
    f"{AGENT_MARK} (iPhone; CPU iPhone OS 18_5 like Mac OS X)",
    f"Googlebot/2.1 {AGENT_MARK} {IPV4}",
)
MARKS = (AGENT_MARK, COOKIE_MARK, PATH_MARK)
SECRETS = (IPV4, UNTRUSTED_IPV4, LOOKED_UP, IPV6, LOOKED_UP_IPV6, MAPPED, PEER, *MARKS)
PRODUCT = "control-product-31415"
REFERRERS = (
    f"https://search.example.org/{PATH_MARK}?q={IPV4}",
    f"http://{UNTRUSTED_IPV4}/{PATH_MARK}",
    f"http://[{IPV6}]:8080/",
    f"http://{IPV4.replace('.', '-')}.dyn.example.net/",
    f"http://user:{COOKIE_MARK}@example.org/",
    f"http://{PATH_MARK}.example.org/",
)
PAGES = (
    f"{SHOP}/{PATH_MARK}?utm_source={IPV4}&utm_campaign={UNTRUSTED_IPV4}",
    f"{SHOP}/?utm_source=from-{IPV4}&utm_campaign=ip_{IPV4.replace('.', '_')}_x",
    f"{SHOP}/?utm_campaign={IPV6}",
)


@pytest.fixture(params=["embedded", "server"])
def collector(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Collector]:
    """A Collector that says all it can; everything that it writes lies below one directory, what
    a ClickHouse server writes for it, too."""
    everything = tmp_path / "everything"
    said = {"LOG_LEVEL": "debug", "ORIGINS": SHOP, "TRUSTED_PROXIES": "127.0.0.1/32"}
    with (
        engine_of(everything, request.param) as dsn,
        prepared(
            everything, CLICKHOUSE_DSN=dsn, SALT_DIR=str(everything / "salts"), **said
        ) as collector,
    ):
        yield collector


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """Each form of each address, user agent and cookie, planted in a file among random bytes, is
    found there; in random bytes alone nothing is."""
    wanted = traces(SECRETS)
    noise = secrets.token_bytes(4096)
    (tmp_path / "noise").write_bytes(noise)
    assert search(tmp_path, wanted) == []
    for number, trace in enumerate(wanted):
        planted = tmp_path / f"{number}"
        planted.mkdir()
        (planted / "file").write_bytes(noise + trace.content + noise)
        assert f"{trace.of} as {trace.form} in file" in search(planted, [trace])
    (tmp_path / f"seen-{IPV4}").touch()
    assert f"{IPV4} as text in seen-{IPV4}" in search(tmp_path, traces([IPV4]))


@pytest.mark.parametrize(
    "text",
    [
        f'{{"ip": "{IPV4}"}}',
        f"GET /?a={IPV6.replace(':', '%3A')}",
        f"{IPV6.upper()}",
        str(int.from_bytes(bytes(map(int, IPV4.split("."))), "big")),
        "xjNkt",
    ],
)
def test_the_search_finds_an_address_as_others_would_write_it(tmp_path: Path, text: str) -> None:
    """A log line, a query, capitals, a database's integer, base64: not made by the search's own
    code."""
    (tmp_path / "file").write_text(text)
    assert search(tmp_path, traces([IPV4, IPV6])) != []


def everything(collector: Collector, seller: str) -> Iterator[Answer]:
    """Ask for everything, in every way, with marks in all that is a visitor's."""
    yield from beacons(collector, seller)
    yield from consent(collector)
    yield from locations(collector)
    yield from every_path(collector)
    yield from sellers(collector, seller)


def visitor(forwarded: str, agent: str, **more: str) -> dict[str, str]:
    """Return the headers of a visitor behind the trusted proxy."""
    cookie = f"{GRANTED}; session={COOKIE_MARK}"
    headers = {"X-Forwarded-For": forwarded, "User-Agent": agent, "Cookie": cookie}
    return headers | {"X-Real-IP": IPV4, "Forwarded": f"for={IPV4}"} | more


def beacons(collector: Collector, seller: str) -> Iterator[Answer]:
    """Send beacons of every outcome from every kind of address."""
    for forwarded in FORWARDED:
        for agent in AGENTS:
            headers = visitor(forwarded, agent)
            yield collector.pixel(seller, PRODUCT, headers=headers)
            yield collector.post(seller, PRODUCT, headers=headers, seconds=7)
            yield collector.pixel(seller, PRODUCT, headers=headers | {"Cookie": COOKIE_MARK})
            yield collector.pixel(seller, PRODUCT, headers=headers | {"Sec-GPC": "1"})
            yield collector.pixel(seller, PRODUCT, headers=headers, sig=IPV4)
    for source in (PEER, "127.0.0.1"):
        headers = {name: v for name, v in visitor("", AGENTS[0]).items() if name[0] != "X"}
        yield collector.pixel(seller, PRODUCT, source=source, headers=headers)
        yield collector.post(seller, PRODUCT, source=source, headers=headers)
    for referrer in REFERRERS:
        for page in PAGES:
            headers = visitor(IPV4, AGENTS[0], Referer=page)
            yield collector.pixel(seller, PRODUCT, headers=headers, ref=referrer, url=page)
            yield collector.post(seller, PRODUCT, headers=headers, ref=referrer, url=page)
    untrusted = visitor(UNTRUSTED_IPV4, AGENTS[0])
    yield collector.pixel(seller, PRODUCT, source=PEER, headers=untrusted)
    for garbage in (f"x{IPV4}", f"{IPV4}.{IPV4}", f"{IPV6}:{IPV6}"):
        yield collector.pixel(seller, PRODUCT, headers=visitor(garbage, AGENTS[0]))
    for body in (f'{{"seller": "{IPV4}"', f'["{IPV6}"]', f'{{"{IPV4}": 1}}', IPV4 * 1000):
        yield ask(collector.beacons, "POST", "/beacon", visitor(IPV4, AGENTS[0]), body.encode())
    for query in (f"ip={IPV4}", f"seller={IPV4}&seller=x", f"seller={IPV4}&product=p&sig=x"):
        yield ask(collector.beacons, "GET", f"/pixel.gif?{query}", visitor(IPV4, AGENTS[0]))


def consent(collector: Collector) -> Iterator[Answer]:
    """Grant, refuse, withdraw, and do it from a strange page."""
    kind = {"Content-Type": "application/json"}
    for forwarded in FORWARDED:
        for choice in ("granted", "refused"):
            for origin in (SHOP, "https://evil.example"):
                headers = visitor(forwarded, AGENTS[0], Origin=origin) | kind
                body = json.dumps({"choice": choice, "withdrawn": True}).encode()
                yield ask(collector.beacons, "POST", "/consent", headers, body)


def locations(collector: Collector) -> Iterator[Answer]:
    """Look good and bad addresses up, with a token and without, as servers and browsers do."""
    good = {"Authorization": f"Bearer {collector.token('location')}"}
    addresses = [LOOKED_UP, LOOKED_UP_IPV6, MAPPED, PEER, f"x{LOOKED_UP}", f"{LOOKED_UP_IPV6}::"]
    lookups = [{"ip": address} for address in addresses]
    for body in (*lookups, {"lookups": lookups}, {"ip": addresses}, {LOOKED_UP: 1}, LOOKED_UP):
        for headers in (good, {}, {"Authorization": f"Bearer {LOOKED_UP}"}):
            sent = visitor(IPV4, AGENTS[0], **headers)
            yield ask(collector.beacons, "POST", "/location", sent, json.dumps(body).encode())
    for forwarded in (*FORWARDED, f"x{IPV4}"):
        headers = visitor(forwarded, AGENTS[0], Origin=SHOP)
        yield ask(collector.beacons, "GET", "/location", headers)
        yield ask(collector.beacons, "PUT", "/location", headers, b'{"country": "DE"}')
        yield ask(collector.beacons, "PUT", "/location", headers, f'"{IPV4}"'.encode())
        yield ask(collector.beacons, "DELETE", "/location", headers)


def every_path(collector: Collector) -> Iterator[Answer]:
    """Ask every path of both ports by every method, with an address wherever one fits."""
    for port, paths in zip((collector.beacons, collector.reports), routes(collector), strict=True):
        assert len(paths) > 8
        for path in (*paths, "/", f"/{IPV4}", f"/no/such/{AGENT_MARK.replace('/', '-')}"):
            for method in METHODS:
                headers = visitor(IPV6, AGENTS[0], Referer=f"http://{IPV4}/", Origin=SHOP)
                headers |= {"Authorization": f"Bearer {IPV4}"}
                body = f'{{"ip": "{IPV4}", "{AGENT_MARK}": "{IPV6}"}}'.encode()
                target = f"{path}?ip={IPV4}&agent={PATH_MARK}&token={UNTRUSTED_IPV4}"
                yield ask(port, method, target, headers, body if method[0] == "P" else None)


def routes(collector: Collector) -> list[list[str]]:
    """Return the paths that each process serves, read off the processes' own routers."""
    code = """
import json, sys
from pathlib import Path
from collector.serve_beacons import Worker, World
from collector.serve_reports import Reports
from collector.settings import Settings
settings = Settings(data_dir=Path(sys.argv[1]))
reports = Reports(settings, World())
found = [Worker(settings, World())._routes(), reports.application().routes]
reports.close()
paths = [[getattr(each, "path", "").replace("{", "").replace("}", "") for each in some]
         for some in found]
print(json.dumps([["/pixel.gif", "/beacon", "/location", *paths[0]], paths[1]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(collector.directory.parent / "routes")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def sellers(collector: Collector, seller: str) -> Iterator[Answer]:
    """Read numbers and sign in, with the marks of a seller's own browser."""
    headers = visitor(IPV4, AGENTS[0], Authorization=f"Bearer {collector.token('stats', seller)}")
    for query in ("from=2026-01-01&to=2026-01-31", f"from={IPV4}&to=x", f"ip={IPV4}"):
        for path in ("summary", "timeseries", "products", "breakdown", "export.csv"):
            yield ask(collector.reports, "GET", f"/api/v1/{path}?{query}", headers)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for token in (collector.token("login", seller), IPV4):
        sent = visitor(IPV6, AGENTS[0], **form)
        yield ask(collector.reports, "POST", "/dashboard/login", sent, f"token={token}".encode())


def test_nothing_keeps_an_address(collector: Collector) -> None:
    """Marked visitors ask for everything there is, good and bad. Then every byte below the data,
    salt and temporary directories and of the output is searched: while it runs, after everything
    was killed in the middle of a load, after the next start, and after a clean stop. That the
    product's name is found each time shows that it would have been found."""
    seller = new_seller()
    collector.start()
    answers = list(everything(collector, seller))
    counted = sum(answer.counted == "yes" for answer in answers)
    assert counted > 40
    assert {answer.status for answer in answers} >= {200, 204, 303, 400, 401, 403, 404, 405}
    assert_clean(collector, "while it runs")
    assert not [answer for answer in answers if answer.status >= 500]
    assert "while answering a request" not in collector.output
    list(beacons(collector, seller))  # the first visitors have withdrawn their consent
    views, _ = collector.summary(seller)
    assert views > 30
    kill_in_the_middle(collector, seller)
    assert_clean(collector, "killed")
    collector.start()
    assert collector.summary(seller)[0] >= views
    list(beacons(collector, seller))
    list(consent(collector))
    assert_clean(collector, "after the next start")
    assert collector.stop() == 0
    assert_clean(collector, "stopped")


def kill_in_the_middle(collector: Collector, seller: str) -> None:
    """Kill every process at once while visits are under way."""
    assert collector.process is not None
    everybody = [*descendants(collector.process.pid), collector.process.pid]
    sending = beacons(collector, seller)
    for _ in range(30):
        next(sending)
    for pid in everybody:
        os.kill(pid, KILL)
    with pytest.raises((OSError, HTTPException)):
        list(sending)
    collector.end(KILL)


def assert_clean(collector: Collector, when: str) -> None:
    """Search everything; the product must be found, and nothing of a visitor."""
    control = search(collector.directory, traces([PRODUCT]))
    assert any("spool" in place for place in control), when
    assert search(collector.directory, traces(SECRETS)) == [], when


def test_a_malformed_address_is_not_echoed(collector: Collector) -> None:
    """What was no address may have been one with a typing error; no answer repeats it."""
    collector.start("beacons")
    for answer in [*locations(collector), *beacons(collector, new_seller())]:
        if answer.status >= 400:
            assert LOOKED_UP.encode() not in answer.content
            assert IPV4.encode() not in answer.content
            assert IPV4 not in str(answer.headers)


def test_an_unexpected_error_tells_no_address(collector: Collector) -> None:
    """Somebody overwrites a database below the running processes. The errors that nobody planned
    for are logged by their kind and place, and quote nothing of the request that met them."""
    collector.start()
    seller = new_seller()
    for token in ("location", "stats"):
        collector.token(token, seller if token == "stats" else None)
    for path in collector.data.glob("access.sqlite*"):
        path.write_bytes(b"no database at all " * 5000)
    answers = [*locations(collector), *sellers(collector, seller), *beacons(collector, seller)]
    assert any(answer.status >= 500 for answer in answers)
    assert "Error while answering" in collector.output
    assert search(collector.directory, traces(SECRETS)) == []
