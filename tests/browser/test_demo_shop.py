"""The demo shop in a real browser: what a newcomer clicks through in the first five minutes."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.running import USER_AGENT
from tests.journeys.asking import WAIT_SECONDS
from tests.journeys.demo import Demo, prepared

pytestmark = pytest.mark.slow

PAGES = ("", "p/klayfold/heron-teapot", "cart", "sellers", "kept", "privacy", "nowhere")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`collector demo` with a short history."""
    with prepared(tmp_path_factory.mktemp("demo")) as started:
        started.start(days=1)
        yield started


@pytest.fixture
def newcomer(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A tab of a visitor whom no other test has sent: all have one address, so the browsers'
    versions tell them apart."""
    nth = sorted(request.session.items, key=lambda item: item.nodeid).index(request.node)
    agent = USER_AGENT.replace("140.0", f"140.{nth + 1}")
    context = browser.new_context(user_agent=agent)
    context.set_default_timeout(WAIT_SECONDS * 1000)
    yield context.new_page()
    context.close()


@pytest.fixture
def without_script(browser: Browser) -> Iterator[Page]:
    """A tab of a visitor who has switched JavaScript off."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(WAIT_SECONDS * 1000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, demo: Demo, who: str) -> None:
    """Press a sign-in button and arrive at the numbers."""
    page.goto(f"{demo.shop}sellers")
    page.get_by_role("button", name=f"Sign in as {who}").click()
    page.wait_for_url("**/dashboard/")


def visitors_today(page: Page, demo: Demo) -> int:
    """Return the number that Klayfold reads on the dashboard."""
    sign_in(page, demo, "Klayfold")
    text = page.get_by_role("main").inner_text()
    found = re.search(r"Today so far\s+([\d,]+)\s+visitors?", text, re.IGNORECASE)
    assert found, text
    return int(found[1].replace(",", ""))


def kept(page: Page, demo: Demo) -> str:
    """Return what the page says that is kept about the visit."""
    page.goto(f"{demo.shop}kept")
    return page.get_by_role("main").inner_text()


def test_a_visit_becomes_the_sellers_number(newcomer: Page, demo: Demo) -> None:
    """A newcomer looks at a teapot, is asked and says yes; the seller, signed in by a button, has
    one visitor more. The same browser's second look is no second visitor."""
    page = newcomer
    before = visitors_today(page, demo)
    page.goto(f"{demo.shop}p/klayfold/heron-teapot")
    expect(page.get_by_text("You have not chosen yet").first).to_be_visible()
    assert visitors_today(page, demo) == before
    page.goto(f"{demo.shop}p/klayfold/heron-teapot")
    with page.expect_response("**/beacon"):
        page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("this view is counted for Klayfold")).to_be_visible()
    with page.expect_response("**/beacon"):
        page.goto(f"{demo.shop}p/klayfold/lemon-press")
    for _ in range(20):
        if visitors_today(page, demo) > before:
            break
    assert visitors_today(page, demo) == before + 1


def test_every_button_mints_a_fresh_sign_in(page: Page, demo: Demo) -> None:
    """Sign-ins work once; the buttons work as often as they are pressed, for each seller and for
    the marketplace, and nobody sees another's products."""
    sign_in(page, demo, "Quillmoth")
    expect(page.get_by_text("Dot-grid notebook").first).to_be_visible()
    sign_in(page, demo, "Ombrelune")
    expect(page.get_by_text("Linen apron").first).to_be_visible()
    assert page.get_by_text("Dot-grid notebook").count() == 0
    sign_in(page, demo, "the marketplace")
    for seller in ("klayfold", "ombrelune", "quillmoth"):
        expect(page.get_by_role("main").get_by_text(seller).first).to_be_visible()


def test_the_shop_shows_what_is_kept_and_that_it_goes(newcomer: Page, demo: Demo) -> None:
    """Before the yes: nothing, and nothing was computed. After it: the row, with a pseudonym and
    three words for the browser. After taking it back: nothing any more."""
    page = newcomer
    page.goto(f"{demo.shop}p/ombrelune/wool-throw")
    said = kept(page, demo)
    assert "Nothing." in said
    assert "no pseudonym is computed" in said
    page.goto(f"{demo.shop}p/ombrelune/wool-throw")
    with page.expect_response("**/beacon"):
        page.get_by_role("button", name="Accept").click()
    said = kept(page, demo)
    row = page.locator("tbody tr").first
    assert [
        row.locator(f"[data-column={name}]").inner_text()
        for name in ("seller", "product", "view", "device", "browser", "os")
    ] == ["ombrelune", "wool-throw", "1", "desktop", "Chrome", "Linux"]
    visitor = row.locator("[data-column=visitor]").inner_text()
    assert re.fullmatch("[0-9a-f]{16}", visitor)
    page.get_by_role("contentinfo").get_by_role("link", name="Cookie settings").click()
    with page.expect_response("**/consent"):
        page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("were removed").first).to_be_visible()
    assert "Nothing." in kept(page, demo)
    page.get_by_role("contentinfo").get_by_role("link", name="Cookie settings").click()
    with page.expect_response("**/consent"):
        page.get_by_role("button", name="Accept").click()
    said = kept(page, demo)
    assert "Nothing any more." in said
    assert "taken out of every number" in said


def test_the_cart_takes_the_buyers_word_for_the_country(page: Page, demo: Demo) -> None:
    """Nobody knows where this machine is, so the cart asks; a choice is a PUT to the location door,
    changes shipping, and can be forgotten. No consent to statistics is needed for it."""
    page.goto(f"{demo.shop}p/klayfold/heron-teapot")
    page.get_by_role("button", name="Refuse").click()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Put into the cart").click()
    expect(page.get_by_text("We can’t tell")).to_be_visible()
    with page.expect_response(
        lambda answer: answer.url.endswith("/location") and answer.request.method == "PUT"
    ) as put:
        page.get_by_label("Country").select_option(label="Switzerland")
        page.get_by_role("button", name="Change").click()
    assert (put.value.status, put.value.request.post_data) == (200, '{"country":"CH"}')
    expect(page.get_by_text("Shipping to Switzerland")).to_be_visible()
    expect(page.get_by_text("€82.90")).to_be_visible()
    page.get_by_role("button", name="Forget my choice").click()
    expect(page.get_by_text("We can’t tell")).to_be_visible()


def test_the_shop_works_without_javascript(without_script: Page, demo: Demo) -> None:
    """Ask, buy, choose a country, sign in, all by links and forms; the pixel counts the view once
    the visitor has said yes."""
    page = without_script
    page.goto(f"{demo.shop}p/quillmoth/wax-crayons")
    assert page.locator("img[src*='pixel.gif']").count() == 0
    page.get_by_role("link", name="Choose yes or no").click()
    page.get_by_role("button", name="Accept").click()
    with page.expect_response("**/pixel.gif**") as pixel:
        page.goto(f"{demo.shop}p/quillmoth/wax-crayons")
    assert pixel.value.headers["x-counted"] == "yes"
    assert "wax-crayons" in kept(page, demo)
    page.goto(f"{demo.shop}p/quillmoth/wax-crayons")
    page.get_by_role("button", name="Put into the cart").click()
    page.get_by_label("Country").select_option("GR")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Shipping to Greece")).to_be_visible()
    page.get_by_role("button", name="Take out Twelve wax crayons").click()
    expect(page.get_by_text("Nothing in it yet")).to_be_visible()
    page.goto(f"{demo.shop}sellers")
    page.get_by_role("button", name="Sign in as Quillmoth").click()
    page.get_by_role("button", name="Go to the numbers").click()
    page.wait_for_url("**/dashboard/")
    expect(page.get_by_text("Twelve wax crayons").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_every_page_fits_and_fetches_nothing_from_elsewhere(
    browser: Browser, demo: Demo, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Phone or desk, light or dark: nothing is cut off sideways, nothing comes from another host,
    and the browser has no complaint, about the content security policy least of all."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    foreign: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(f"http://127.0.0.1:{demo.beacons}/"):
            foreign.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    for path in PAGES:
        page.goto(demo.shop + path)
        page.get_by_role("button", name="Refuse").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
    assert foreign == []
    assert [each for each in complaints if "404" not in each] == []
