"""deploy/nginx and deploy/caddy: the paths lead where they should, and no log names a visitor."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.journeys.asking import ask, eventually
from tests.journeys.running import FIREFOX, GRANTED, Collector, new_seller, running
from tests.packaging.proxies import caddy, nginx, written

Proxy = Callable[[Path, int, int], AbstractContextManager[int]]
VISITORS = ("127.0.0.71", "127.0.0.72")
BROWSER = {"User-Agent": FIREFOX, "Cookie": GRANTED}


def visit(collector: Collector, port: int, seller: str, source: str) -> str:
    """Send a view through the proxy; return what became of it."""
    signature = collector.signature(seller, "p")
    path = f"/stats/pixel.gif?seller={seller}&product=p&sig={signature}"
    return ask(port, "GET", path, BROWSER, source=source).counted


def visitors(collector: Collector, port: int, seller: str) -> int:
    """Ask the API through the proxy for today's visitors."""
    token = collector.token("stats", seller)
    today = datetime.now(UTC).date()
    path = f"/stats/api/v1/summary?from={today}&to={today}"
    answer = ask(port, "GET", path, {"Authorization": f"Bearer {token}"})
    assert answer.status == 200, answer.content
    return int(answer.json["visitor_days"])


@pytest.mark.slow
@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_proxy_leads_to_both_ports_and_writes_no_address(proxy: Proxy, tmp_path: Path) -> None:
    """Two people behind it are two; sellers and operators reach port 8001, everybody else 8000.
    Then Collector is away, which proxies note beside the visitor's address; ours does not."""
    seller, folder = new_seller(), tmp_path / "proxy"
    folder.mkdir()
    with (
        running(tmp_path / "collector", PATH_PREFIX="/stats") as collector,
        proxy(folder, collector.beacons, collector.reports) as port,
    ):
        for source in VISITORS:
            assert visit(collector, port, seller, source) == "yes"
        eventually(lambda: visitors(collector, port, seller) == 2, "two visitors")
        assert ask(port, "GET", "/stats/dashboard").status == 308
        assert b"<html" in ask(port, "GET", "/stats/dashboard/").content
        assert ask(port, "POST", "/stats/operator/totals").status == 401
        assert ask(port, "GET", "/.well-known/gpc.json").json["gpc"] is True
        assert b"signed" not in ask(port, "GET", "/").content
        collector.stop()
        away = [
            ask(port, "GET", path, BROWSER, source=VISITORS[0]).status
            for path in ("/stats/pixel.gif", "/stats/dashboard/", "/.well-known/gpc.json")
        ]
        assert away == [502, 502, 502]
        if proxy is nginx:  # the control: the shop's own location does name them
            ask(port, "GET", "/control/", source=VISITORS[1])
    assert VISITORS[0] not in written(folder)
    assert (VISITORS[1] in written(folder)) == (proxy is nginx)
