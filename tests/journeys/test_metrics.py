"""GET /metrics on both ports, for operators only."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.journeys.asking import ask, eventually
from tests.journeys.running import Collector, new_seller, running


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """One Collector for all tests here."""
    with running(tmp_path_factory.mktemp("metrics") / "collector") as started:
        yield started


def scrape(collector: Collector, port: int) -> dict[str, float]:
    """Return the samples of one port, as an operator's monitoring reads them."""
    bearer = {"Authorization": f"Bearer {collector.token('operator')}"}
    answer = ask(port, "GET", "/metrics", bearer)
    assert answer.status == 200, answer.content
    lines = answer.content.decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def unconsented(collector: Collector, port: int) -> bool:
    """Return whether a beacon without consent was counted as such."""
    return scrape(collector, port).get('collector_beacons_today{outcome="no-consent"}') == 1.0


def test_both_ports_tell_todays_beacons_by_outcome(collector: Collector) -> None:
    """One beacon counts and one lacks consent; both ports say so within seconds."""
    seller = new_seller()
    collector.pixel(seller)
    collector.pixel(seller, cookie=None)
    for port in (collector.beacons, collector.reports):
        eventually(partial(unconsented, collector, port), "the outcome without a hit")
        assert scrape(collector, port)['collector_beacons_today{outcome="yes"}'] >= 1.0


def test_the_location_door_tells_its_databases_age(collector: Collector) -> None:
    """The beacons port also answers for the location door."""
    assert scrape(collector, collector.beacons)["collector_location_database_age_seconds"] > 0


@pytest.mark.parametrize("scope", [None, "location"])
def test_nobody_else_may_read_them(collector: Collector, scope: str | None) -> None:
    """Without a token, or with one of another scope, the answer is 401 with a sentence."""
    headers = {"Authorization": f"Bearer {collector.token(scope)}"} if scope else {}
    for port in (collector.beacons, collector.reports):
        answer = ask(port, "GET", "/metrics", headers)
        assert answer.status == 401
        assert answer.json["error"]["field"] == "Authorization"
