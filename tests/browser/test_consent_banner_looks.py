"""How the banner looks and speaks: no button weighs more, six languages, day and night."""

import pytest
from playwright.sync_api import Browser

from collector.page.scripts import texts_of
from tests.browser.running import Shop, html


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accept_and_refuse_weigh_the_same_and_can_be_read(
    browser: Browser, shop: Shop, seller: str, scheme: str
) -> None:
    """Equal in every style that a browser computes, and with contrast enough, by day and night."""
    visitor = browser.new_context(color_scheme="light" if scheme == "light" else "dark")
    page = visitor.new_page()
    page.goto(shop.add("/p/1", shop.script(seller, "p") + shop.banner()))
    page.get_by_role("button", name="Accept").wait_for()
    styles = page.evaluate(
        """() => [...document.getElementById("collector-consent").shadowRoot
            .querySelectorAll("button")].map((button) => {
                const style = getComputedStyle(button);
                return Object.fromEntries([...style].map((name) => [name, style[name]]));
            })"""
    )
    assert len(styles) == 2
    sized = ("inline-size", "width", "perspective-origin", "transform-origin")
    differing = {name for name in styles[0] if styles[0][name] != styles[1][name]}
    assert differing <= set(sized)
    assert styles[0]["width"] == styles[1]["width"]
    assert contrast(styles[0]["color"], styles[0]["background-color"]) >= 4.5
    visitor.close()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two CSS colours.

    Source  WCAG 2.2, relative luminance.
    """

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in colour[4:-1].split(",")]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("language", ["en", "de", "fr", "nl", "el", "lv"])
def test_the_banner_speaks_the_pages_language(
    browser: Browser, shop: Shop, seller: str, language: str
) -> None:
    """Six languages; a page in another one gets English."""
    visitor = browser.new_context()
    page = visitor.new_page()
    shop.pages["/p/l"] = html(shop.banner(), "", lang=f"{language}-XX")
    page.goto(shop.url("/p/l"))
    text = texts_of()[language]
    page.get_by_role("dialog", name=text["title"]).wait_for()
    for name in ("accept", "refuse"):
        assert page.get_by_role("button", name=text[name], exact=True).is_visible()
    visitor.close()
