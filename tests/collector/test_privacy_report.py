"""The privacy report: what is held and since when, from the live system."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from collector.close.closes import yesterday
from collector.privacy.markdown import markdown
from collector.privacy.report import Settled, Sources, report
from tests.collector.sealing import DAY, UTC_ZONE, Shop, noon, some_hits

pytestmark = pytest.mark.slow

NEXT_DAY = DAY + timedelta(days=1)
SETTLED = Settled(UTC_ZONE, 5, 140, "Example Market")


def sources(shop: Shop) -> Sources:
    """Return where the report looks."""
    return Sources(shop.data, shop.salts, shop.ledger.closes, shop.client, shop.today(), shop.now)


def filled(shop: Shop) -> Shop:
    """One sealed day and one that is open."""
    shop.visit(DAY, some_hits(300, 70))
    shop.midnight_after(DAY)
    shop.seal_all()
    shop.now = noon(NEXT_DAY)
    shop.visit(NEXT_DAY, some_hits(200, 71), finish=False)
    return shop


def test_the_report_tells_what_is_held_from_the_live_system(shop: Shop) -> None:
    """A sealed day and an open one: hits, salt and spool of the open one only; times and the
    search's result of the sealed one; outcomes of both; retention and minimum in force."""
    found = report(sources(filled(shop)), SETTLED)
    assert [(each["day"], each["stored"]) for each in found["hits"]] == [(str(NEXT_DAY), 200)]
    assert found["hits"][0]["in_spool"] > 0
    assert [each["day"] for each in found["salts"]] == [str(NEXT_DAY)]
    sealed, opened = found["days"]
    assert (sealed["state"], sealed["hashes_found"]) == ("sealed", 0)
    assert sealed["hashes_searched"] > 0
    assert sealed["salt_gone"] <= sealed["counted"] <= sealed["gone"] <= sealed["sealed"]
    assert (opened["state"], opened["sealed"]) == ("open", None)
    assert found["outcomes"] == {str(DAY): {"yes": 300}, str(NEXT_DAY): {"yes": 200}}
    assert found["counts"]["rows"] > 0
    assert found["counts"]["keep_counts_days"] == 140
    assert found["breakdown_min"] == {"this_month": 5, "setting": 5}
    assert found["waiting_for_a_close"][0]["period"] == "week"


def test_the_report_names_no_seller_and_no_hash(shop: Shop) -> None:
    """It may be sent to an authority as it is: JSON and Markdown hold neither, and both hold the
    day that they would be searched for."""
    found = report(sources(filled(shop)), SETTLED)
    texts = (json.dumps(found), markdown(found, "Example Market"))
    for text in texts:
        assert str(NEXT_DAY) in text
        assert "seller 1" not in text
        assert "product 1" not in text
        assert not any(str(hit.visitor) in text for hit in shop.written[NEXT_DAY])


def test_a_breach_is_answered_for_its_moment(shop: Shop) -> None:
    """At noon of the sealed day its hits and salt were there, and nothing of the next; an hour
    after midnight nothing of it was, and the next day's were there."""
    filled(shop)
    then = report(sources(shop), SETTLED, moment=noon(DAY))["exposed"]["days"]
    assert then == [{"day": str(DAY), "hits": True, "salt": True}]
    later = report(sources(shop), SETTLED, moment=noon(NEXT_DAY) - 11 * 3600)["exposed"]["days"]
    assert later == [{"day": str(NEXT_DAY), "hits": True, "salt": True}]
    before = report(sources(shop), SETTLED, moment=noon(DAY) - 86_400 * 9)["exposed"]["days"]
    assert before == []
    assert "No pseudonymous data was there." in markdown(
        report(sources(shop), SETTLED, moment=noon(DAY) - 86_400 * 9)
    )


def test_a_breach_also_exposes_what_waits_for_the_months_close(shop: Shop) -> None:
    """June's remainders were there from the first day's count until the first close in July, and
    July's from then on; the text says what they are."""
    first_of_july = DAY.replace(month=7, day=1)
    for day in (DAY, NEXT_DAY, first_of_july):
        shop.now = noon(day)
        shop.visit(day, some_hits(200, 73 + day.day))
        shop.midnight_after(day)
        shop.seal_all()

    def waited(moment: float) -> list[str]:
        months: list[str] = report(sources(shop), SETTLED, moment)["exposed"]["months_waiting"]
        return months

    assert waited(noon(DAY)) == []
    assert waited(noon(NEXT_DAY)) == ["2026-06"]
    assert waited(noon(first_of_july)) == ["2026-06"]
    assert waited(noon(first_of_july) + 86_400) == ["2026-07"]
    assert {row[1] for row in shop.waiting()} == {first_of_july}
    text = markdown(report(sources(shop), SETTLED, noon(first_of_july)))
    assert "What waited for a week's or month's close, of 2026-06" in text
    assert "No pseudonymous data was there." not in text


def test_the_record_of_processing_is_drafted_from_what_is_in_force(shop: Shop) -> None:
    """Controller, retention and the last seal stand in it; without a limit counts are kept."""
    found = report(sources(filled(shop)), SETTLED)
    text = markdown(found, "Example Market")
    assert "Art. 30" in text
    assert "| Controller | Example Market;" in text
    assert "are deleted after 140 days" in text
    unlimited = report(sources(shop), replace(SETTLED, keep_counts_days=0))
    assert "are kept for ever" in markdown(unlimited)


def test_status_says_in_a_sentence_how_yesterday_ended(shop: Shop) -> None:
    """Not closed yet, closed at four past midnight, nothing ran, lost."""
    closes = shop.ledger.closes
    shop.visit(DAY, some_hits(50, 72))
    assert yesterday(closes.of(DAY), UTC_ZONE) == "Yesterday is not closed yet (open)."
    shop.midnight_after(DAY)
    shop.seal_all()
    assert yesterday(closes.of(DAY), UTC_ZONE) == "Yesterday closed at 00:04."
    assert yesterday(closes.of(NEXT_DAY), UTC_ZONE) == "Nothing ran yesterday."
    closes.note_lost(NEXT_DAY)
    assert yesterday(closes.of(NEXT_DAY), UTC_ZONE) == "Yesterday is lost."
