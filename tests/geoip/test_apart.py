"""Kept apart: nothing is written, nothing is remembered, no address is ever said again."""

import base64
import random
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from geoip.metrics import LocationMetrics
from tests.geoip.alone import SECRET, Process, alone
from tests.geoip.running import Server, served
from tests.geoip.traces import found, traces

pytestmark = pytest.mark.processes

# Written nowhere else, so that a trace of one can only come from here. The first three are in
# the bundled database, the others are nobody's.
MARKED = ["81.186.173.205", "2a02:587:dead:beef:cafe:1234:5678:9abc", "193.92.173.206",
          "10.173.205.239", "fd12:dead:beef:cafe::5678"]  # fmt: skip


def everywhere(process: Process) -> bytes:
    """Return every byte that the process left: its files and all that it printed."""
    return b"\n".join(content for content, _ in process.files().values())


def ask_in_every_way(process: Process, address: str) -> list[int]:
    """Send an address through every method, header and mistake that there is."""
    http, token = process.http, process.authorization
    bad = address.replace(":", ".:")
    own = {"origin": str(http.base_url).rstrip("/")}
    forwarded = {"x-forwarded-for": address}
    responses = [
        http.post("/location", json={"ip": address}, headers=token),
        http.post("/location", json={"ip": f"[{address}]:443"}, headers=token),
        http.post("/location", json={"lookups": [{"ip": address}, {"ip": bad}]}, headers=token),
        http.post("/location", json={"ip": address, address: address}, headers=token),
        http.post("/location", json={"ip": [address]}, headers=token),
        http.post("/location", json={"ip": "10.0.0.1", "chosen": address}, headers=token),
        http.post("/location", json={"chosen": "ES", "postcode": address[:16]}, headers=token),
        http.post("/location", content=address, headers=token),
        http.post("/location", content=address * 3000, headers=token),
        http.post("/location", json={"ip": address}),
        http.post("/location", headers={"authorization": f"Bearer {address}"}),
        http.post("/location", params={"ip": address}, headers=token),
        http.get("/location", params={"ip": address}),
        http.get("/location", params={"lang": address}),
        http.get("/location", headers={**forwarded, "accept-language": address}),
        http.get("/location", headers={"cookie": f"tax_country={address}"}),
        http.get("/location", headers={"origin": f"http://{address}"}),
        http.put("/location", json={"country": "DE"}, headers={**own, **forwarded}),
        http.put("/location", json={"country": address}, headers=own),
        http.put("/location", json={"country": "DE"}, headers={"origin": f"http://{address}"}),
        http.delete("/location", headers={**own, **forwarded}),
        http.options("/location", headers={"origin": f"http://{address}"}),
        http.get(f"/location/{address}"),
        http.request("PATCH", "/location", content=address),
        http.get("/readyz", headers=forwarded),
    ]
    for response in responses:
        body = response.text + str(response.headers)
        assert not found(body.encode(), address), (response.request.method, response.status_code)
    return [response.status_code for response in responses]


def test_no_address_is_left_anywhere(tmp_path: Path) -> None:
    """Marked addresses go through every method and every mistake; the process is killed. Then
    every byte of its directories and of its output is searched for them, as text, packed, in
    hexadecimal, base64, as integer and percent-encoded. The log was at its most talkative."""
    with alone(tmp_path) as process:
        statuses = [status for address in MARKED for status in ask_in_every_way(process, address)]
    assert {200, 204, 400, 401, 403, 404, 405, 413} <= set(statuses)
    assert 500 not in statuses
    left = everywhere(process)
    assert b"the location door alone" in left, "the output was not searched"
    assert b"SQLite format 3" in left, "the data directory was not searched"
    assert {address: found(left, address) for address in MARKED} == {
        address: set() for address in MARKED
    }


def test_the_search_would_have_found_an_address() -> None:
    """The positive control, form by form, among other bytes and in either case."""
    for address in MARKED:
        for name, form in traces(address).items():
            assert name in found(b"\x07junk" + form + b"junk\xff", address)
        around = base64.b64encode(f"<{address}>".encode())
        assert any(name.startswith("base64") for name in found(around, address))
        assert found(address.upper().encode(), address)
    assert found(b"nothing of the kind", MARKED[0]) == set()


def test_ten_thousand_lookups_write_nothing(tmp_path: Path) -> None:
    """Every file that the process could write is the same before and after, to the byte and to
    its time of change; the search for changes notices a single byte."""
    chance = random.Random(7)
    with alone(tmp_path) as process:
        process.http.post("/location", json={"chosen": "DE"}, headers=process.authorization)
        before = process.files()
        assert "data/access.sqlite" in before
        countries = set()
        for _ in range(100):
            lookups: list[dict[str, Any]] = [
                {"ip": str(IPv4Address(chance.getrandbits(32)))} for _ in range(80)
            ]
            lookups += [
                {"ip": str(IPv6Address((0x2A00 << 112) | chance.getrandbits(112)))}
                for _ in range(20)
            ]
            body = {"lookups": lookups}
            response = process.http.post("/location", json=body, headers=process.authorization)
            countries |= {result["country"] for result in response.json()["results"]}
        assert len(countries) > 50, "the lookups found next to nothing"
        assert process.files() == before
        (tmp_path / "data" / "country.txt").write_bytes(b"G")
        assert process.files() != before


def test_the_door_alone_serves_marketplace_and_browser(tmp_path: Path) -> None:
    """A shop that wants no statistics: one command, the token of `collector token`, the same
    answers, and nothing of the beacon."""
    with alone(tmp_path, COLLECTOR_HOME_COUNTRY="GR") as process:
        answer = process.http.post(
            "/location", json={"ip": "147.102.1.1"}, headers=process.authorization
        ).json()
        assert (answer["country"], answer["shipping_zone"]) == ("GR", "home")
        browser = process.http.get("/location", headers={"x-forwarded-for": "129.132.1.1"})
        assert browser.json()["country"] == "CH"
        assert process.http.get("/readyz").json()["ready"] is True
        assert process.http.get("/pixel.gif").status_code == 404
        foreign = process.http.post("/location", headers={"authorization": f"Bearer {SECRET}"})
        assert foreign.status_code == 401


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"COLLECTOR_HOME_COUNTRY": "EL"}, "COLLECTOR_HOME_COUNTRY: must be an ISO"),
        ({"COLLECTOR_ZONES_FILE": "none.toml"}, "COLLECTOR_ZONES_FILE: none.toml: "),
        ({"COLLECTOR_TRUSTED_PROXIES": "*"}, "COLLECTOR_TRUSTED_PROXIES: "),
    ],
)
def test_a_bad_setting_stops_the_start_with_a_sentence(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    """The operator reads which variable it was, as it stands in the environment, and no
    traceback."""
    with (
        pytest.raises(AssertionError, match="did not start") as stopped,
        alone(tmp_path, **settings),
    ):
        pass
    assert sentence in str(stopped.value)
    assert "Traceback" not in str(stopped.value)


def test_metrics_tell_no_country_and_no_address() -> None:
    """How many, decided by what, how old the database: nothing about who or where."""
    with served() as server:
        for lookup in ({"ip": "147.102.1.1"}, {"ip": "10.0.0.1"}, {"chosen": "CY"}):
            server.ask(**lookup)
        server.post({"ip": "no"})
        server.post({"lookups": [{"ip": "no"}, {"chosen": "CY"}]})
        text = measured(server)
        assert 'collector_location_lookups_total{basis="address"} 1.0' in text
        assert 'collector_location_lookups_total{basis="chosen"} 2.0' in text
        assert 'collector_location_lookups_total{basis="none"} 1.0' in text
        assert "collector_location_refused_total 1.0" in text
        assert "collector_location_malformed_items_total 1.0" in text
        assert "collector_location_database_stale 0.0" in text
        assert "collector_location_database_refused 0.0" in text
        for secret in ("GR", "CY", "147.102", "10.0.0.1"):
            assert secret not in text


def measured(server: Server) -> str:
    """Return the metrics as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(LocationMetrics(server.door))
    return generate_latest(registry).decode()


def test_a_path_prefix_leaves_the_shops_own_paths_free(tmp_path: Path) -> None:
    """Everything of ours lies below it, and nothing beside it."""
    with alone(tmp_path, COLLECTOR_PATH_PREFIX="/stats") as process:
        assert process.http.get("/stats/location").status_code == 200
        assert process.http.get("/location").status_code == 404
