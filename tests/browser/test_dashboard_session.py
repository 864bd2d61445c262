"""The end of a session in a real browser: nothing is shown any more, and it is said why."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.stand import Stand, stand

__all__ = ["stand"]  # a fixture
DESK: Any = {"width": 1280, "height": 900}  # A size in playwright's words.


def test_who_is_signed_out_while_typing_reads_so(stand: Stand, browser: Browser) -> None:
    """The session ends while the page is open; the search doesn't just do nothing from then on."""
    context = browser.new_context(viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")
    context.clear_cookies()

    page.get_by_role("searchbox").fill("apron")

    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_who_signed_out_shows_nothing_to_the_next_at_this_computer(
    scripts: bool, stand: Stand, browser: Browser
) -> None:
    """A seller signs out in the shop's back room and leaves; whoever presses Back reads no number
    of the seller's."""
    context = browser.new_context(java_script_enabled=scripts, viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")
    expect(page.get_by_text("Oak table").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")

    page.go_back(wait_until="commit")

    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(page.get_by_text("Oak table")).to_have_count(0)
    context.close()
