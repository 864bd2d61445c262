"""The marketplace's answer: choice and address, batches, evidence."""

import json
import re
from typing import Any

import pytest

from tests.geoip.running import TOKEN, Server

ATHENS, ZURICH, NOWHERE = "147.102.1.1", "129.132.1.1", "10.1.2.3"
SENTENCE = re.compile(r"Evidence [0-9a-f]{16} of 2026-06-18: .+\.")


def test_the_answer_is_the_contract(server: Server) -> None:
    """Key by key, with the types that a client relies on."""
    answer = server.ask(ip=ATHENS)
    evidence = answer.pop("evidence")
    assert SENTENCE.fullmatch(evidence)
    assert answer == {
        "country": "GR",
        "name": "Greece",
        "language": "en",
        "basis": "address",
        "estimate": True,
        "registered": False,
        "eu_member": True,
        "vat": {
            "area": "EU",
            "prefix": "EL",
            "standing": "ambiguous",
            "ask": "postcode",
            "why": "The country alone can't tell: other rules hold in Mount Athos.",
        },
        "customs_union": True,
        "customs": {
            "area": "EU",
            "standing": "inside",
            "ask": None,
            "why": "Part of the Union's customs territory.",
        },
        "shipping_zone": "eu",
        "database": {
            "name": "geo-whois-asn-country (ip-location-db)",
            "built": "2026-06-17",
            "age_days": 0,
            "stale": False,
            "attribution": answer["database"]["attribution"],
        },
    }


@pytest.mark.parametrize("ip", [ATHENS, ZURICH, NOWHERE])
def test_the_choice_beats_the_address(server: Server, ip: str) -> None:
    """The buyer knows better than a database; then it is no estimate."""
    answer = server.ask(ip=ip, chosen="FR")
    assert (answer["country"], answer["basis"]) == ("FR", "chosen")
    assert (answer["estimate"], answer["registered"]) == (False, False)


def test_a_choice_needs_no_address(server: Server) -> None:
    """The least data: a shop that knows the choice need not send an address at all."""
    answer = server.ask(chosen="GR")
    assert (answer["country"], answer["basis"]) == ("GR", "chosen")
    assert "address" not in answer["evidence"]


def test_a_postcode_makes_the_standing_certain(server: Server) -> None:
    """Spain asks for a postcode; with one from Tenerife VAT is outside and customs inside."""
    asked = server.ask(chosen="ES")
    assert (asked["vat"]["ask"], asked["customs_union"]) == ("postcode", None)
    told = server.ask(chosen="ES", postcode="38001")
    assert (told["vat"]["standing"], told["vat"]["prefix"]) == ("outside", None)
    assert (told["vat"]["ask"], told["customs_union"]) == (None, True)
    assert "38001" not in json.dumps(told)
    madrid = server.ask(chosen="ES", postcode="28013")
    assert (madrid["vat"]["standing"], madrid["customs_union"]) == ("inside", True)


@pytest.mark.parametrize("postcode", ["", "x" * 17, 38001, ["38001"]])
def test_a_bad_postcode_is_refused_and_not_repeated(server: Server, postcode: Any) -> None:
    """It belongs to a buyer, so the error doesn't quote it either."""
    response = server.post({"chosen": "ES", "postcode": postcode})
    assert (response.status_code, response.json()["error"]["field"]) == (400, "postcode")
    assert "38001" not in response.text
    assert "xxx" not in response.text


EVIDENCE = [
    ({"ip": ATHENS}, "the buyer's network address is in GR by .*, built 2026-06-17"),
    ({"ip": ATHENS, "chosen": "GR"}, "address is in GR by .*; the buyer chose GR"),
    ({"ip": ATHENS, "chosen": "DE"}, "address is in GR by .*; the buyer chose DE"),
    ({"ip": NOWHERE, "chosen": "DE"}, "address is in no country by .*; the buyer chose DE"),
    ({"chosen": "DE"}, r": the buyer chose DE\."),
]


@pytest.mark.parametrize(("lookup", "words"), EVIDENCE)
def test_evidence_says_what_was_learned_and_not_from_whom(
    server: Server, lookup: dict[str, str], words: str
) -> None:
    """One of the two items that Article 24f of Regulation 282/2011 asks for, fit to be kept: an
    id, a date, the country, the source; no address. Where choice and address disagree both are
    said, because contradicting items prove nothing."""
    sentence = server.ask(**lookup)["evidence"]
    assert SENTENCE.fullmatch(sentence)
    assert re.search(words, sentence)
    assert lookup.get("ip", "nowhere") not in sentence


def test_every_piece_of_evidence_has_its_own_id(server: Server) -> None:
    """Two orders from one address can be told apart, and not be recognised as one buyer's."""
    batch = server.post({"lookups": [{"ip": ATHENS}] * 50}).json()["results"]
    assert len({result["evidence"] for result in batch}) == 50


def test_nothing_learned_is_no_evidence(server: Server) -> None:
    """A private address proves nothing."""
    assert server.ask(ip=NOWHERE)["evidence"] is None


def test_a_batch_answers_in_order_with_errors_in_their_places(server: Server) -> None:
    """Good and bad mixed: the answer has a result for each, in order, and is no error itself."""
    lookups: list[Any] = [
        {"ip": ATHENS},
        {"ip": "147.102.1.999"},
        {"ip": ZURICH, "chosen": "FR"},
        {"ip": NOWHERE},
        {},
        "147.102.1.77",
        {"ip": ATHENS, "chosen": "UK"},
        {"ip": ATHENS, "land": "GR"},
        {"chosen": "ES", "postcode": "51001"},
    ]
    response = server.post({"lookups": lookups, "lang": "de"})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result.get("name") for result in results] == [
        "Griechenland", None, "Frankreich", None, None, None, None, None, "Spanien",
    ]  # fmt: skip
    assert {number: result["error"]["field"] for number, result in enumerate(results)
            if "error" in result} == {
        1: "lookups[1].ip",
        4: "lookups[4].ip",
        5: "lookups[5]",
        6: "lookups[6].chosen",
        7: "lookups[7]",
    }  # fmt: skip
    assert "147.102" not in response.text


@pytest.mark.parametrize("lookups", [[], [{"ip": ATHENS}] * 101, {"ip": ATHENS}, "all", None])
def test_a_batch_has_one_to_a_hundred_lookups(server: Server, lookups: Any) -> None:
    """More is a fault of the caller's, refused as a whole before anything is looked up."""
    response = server.post({"lookups": lookups})
    assert (response.status_code, response.json()["error"]["field"]) == (400, "lookups")


@pytest.mark.parametrize("extra", [{"ip": ATHENS}, {"chosen": "DE"}, {"limit": 5}])
def test_a_batch_has_no_other_fields(server: Server, extra: dict[str, Any]) -> None:
    """A lookup beside the list would be silently ignored."""
    response = server.post({"lookups": [{"ip": ATHENS}], **extra})
    assert (response.status_code, response.json()["error"]["field"]) == (400, "body")


def test_a_hundred_of_the_longest_lookups_fit(server: Server) -> None:
    """The limit on the body is no second, lower limit on the batch."""
    longest = {"ip": "[0000:0000:0000:0000:0000:ffff:147.102.111.111]:65535", "chosen": "GR",
               "postcode": "1" * 16}  # fmt: skip
    body = json.dumps({"lookups": [longest] * 100, "lang": "en"})
    response = server.http.post("/location", content=body, headers=TOKEN)
    assert response.status_code == 200, len(body)
    assert len(response.json()["results"]) == 100


def test_countries_are_not_mixed_up_between_callers(server: Server) -> None:
    """The unchanging part of an answer is kept; what is kept for one language, basis or postcode
    must not reach another."""
    first = [server.ask(ip=ATHENS), server.ask(chosen="GR"), server.ask(ip=ATHENS, lang="el"),
             server.ask(chosen="GR", postcode="63086")]  # fmt: skip
    again = [server.ask(ip=ATHENS), server.ask(chosen="GR"), server.ask(ip=ATHENS, lang="el"),
             server.ask(chosen="GR", postcode="63086")]  # fmt: skip
    for one, other in zip(first, again, strict=True):
        assert one.pop("evidence") != other.pop("evidence")
        assert one == other
    assert [answer["basis"] for answer in first] == ["address", "chosen", "address", "chosen"]
    assert [answer["vat"]["standing"] for answer in first] == [
        "ambiguous", "ambiguous", "ambiguous", "outside",
    ]  # fmt: skip
    assert first[2]["name"] == "Ελλάδα"
