"""The dashboard in a real browser: for everybody, on any screen, in another site's frame."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.language import LANGUAGES
from tests.browser.stand import Stand, stand

AXE = "axe-core@4.14.1"
NPM = Path(__file__).parent.parent.parent / ".cache" / "npm-axe"
# WCAG 2.2 AA and what came before it, and axe's own advice.
__all__ = ["stand"]  # a fixture
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Sizes in playwright's words.
PHONE: Any = {"width": 390, "height": 844}
DESK: Any = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker, as npm installs it."""
    script = NPM / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        NPM.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).parent / "npm"), "install", "--prefix", str(NPM)]
        options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*command, *options, AXE], check=True, timeout=300)
    return script.read_text("utf-8")


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds wrong, each with the first place."""
    page.evaluate(axe)  # Through the browser's own door: the page's policy stays as it is.
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    assert found["passes"], "axe looked at nothing"
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


PAGES = {
    "overview": ("seller", "/dashboard/?range=7-days"),
    "a year": ("seller", "/dashboard/?range=12-months"),
    "five years": ("seller", "/dashboard/?from=2022-01-01&to=2026-11-18"),
    "one day": ("seller", "/dashboard/?range=today"),
    "a product": ("seller", "/dashboard/product?product=1&range=30-days"),
    "no search result": ("seller", "/dashboard/?q=nothing+like+it"),
    "words": ("seller", "/dashboard/words"),
    "share": ("seller", "/dashboard/share"),
    "nobody came": ("empty", "/dashboard/"),
    "the marketplace": (None, "/dashboard/?range=7-days"),
    "who refused": (None, "/dashboard/?from=2021-03-01&to=2021-03-07"),
    "signed out": ("", "/dashboard/"),
    "sign in": ("", "/dashboard/login?token=x"),
    "refused": ("seller", "/dashboard/?range=never"),
    "nothing here": ("seller", "/dashboard/nothing"),
}


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_is_for_everybody(
    name: str, scheme: Any, size: Any, stand: Stand, browser: Browser, axe: str
) -> None:
    """Every page, at a desk in light colours and on a phone in dark ones, everything unfolded:
    axe finds nothing against WCAG 2.2 AA, no script fails, nothing is wider than the screen."""
    who, path = PAGES[name]
    context = browser.new_context(color_scheme=scheme, viewport=size)
    if who != "":
        stand.sign_in(context, stand.visits.seller if who == "seller" else who)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(stand.site.url + path)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert errors == []
    context.close()


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_no_language_is_too_long_for_a_phone(code: str, stand: Stand, browser: Browser) -> None:
    """German and Greek words are long, a phone is narrow, and narrower where somebody enlarges the
    letters; nothing is pushed out of it."""
    context = browser.new_context(viewport={"width": 320, "height": 740})
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/share")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("button", name="Revoke")).not_to_have_count(0)
    for path in ("/dashboard/?range=7-days", "/dashboard/product?product=1", "/dashboard/share"):
        mark = "&" if "?" in path else "?"
        page.goto(f"{stand.site.url}{path}{mark}lang={code}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    context.close()


def test_chosen_and_key_are_seen_in_forced_colours(stand: Stand, browser: Browser) -> None:
    """Who reads in colours of his own, such as high contrast, sees which range is chosen and which
    colour of the chart is whose."""
    context = browser.new_context(viewport=DESK, forced_colors="active")
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")

    def ground(selector: str) -> str:
        look = "e => getComputedStyle(e).backgroundColor"
        return str(page.locator(selector).first.evaluate(look))

    assert ground(".ranges [aria-current]") != ground(".ranges a:not([aria-current])")
    assert len({ground(".card"), ground(".swatch.visitors"), ground(".swatch.views")}) == 3
    context.close()


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_a_phone_shows_every_range(code: str, stand: Stand, browser: Browser) -> None:
    """No range hides beyond the edge of a phone, where nobody would look for it."""
    context = browser.new_context(viewport=PHONE)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=12-months&lang={code}")
    choices = page.locator(".ranges a, .ranges summary").all()
    assert len(choices) == 10
    for choice in choices:
        box = choice.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    context.close()


def test_everything_works_without_a_script(stand: Stand, browser: Browser) -> None:
    """Scripts are off: the search button searches, headers sort, own dates are shown, the table
    behind the chart opens, and signing out signs out."""
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")

    page.get_by_role("searchbox").fill("mug")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Blue mug").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Blue mug")

    page.get_by_text("Own dates").click()
    page.get_by_role("textbox", name="from").fill("2026-11-01")
    page.get_by_role("textbox", name="to", exact=True).fill("2026-11-03")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("The chart as a table").click()
    expect(page.locator(".table-behind tbody tr")).to_have_count(3)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    context.close()


def test_typing_searches_at_once(stand: Stand, browser: Browser) -> None:
    """With scripts the table follows the typing, a screen reader hears how many products there are,
    and the address bar holds the search."""
    context = browser.new_context(viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")

    page.get_by_role("searchbox").press_sequentially("apron")

    page.wait_for_url("**q=apron**")  # A part of the word finds it, too.
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text("Linen apron")
    expect(page.get_by_role("status").filter(has_text="found")).to_have_text("1 found")
    assert "range=7-days" in page.url
    context.close()


def test_what_was_typed_stays_in_another_range_and_language(stand: Stand, browser: Browser) -> None:
    """Somebody searches while typing, then wants other days, own dates and another language: the
    table still shows what was searched for."""
    context = browser.new_context(viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")
    page.get_by_role("searchbox").fill("apron")
    expect(page.locator("#rows tbody tr")).to_have_count(1)

    page.get_by_role("link", name="90 days").click()
    expect(page.locator("h1")).to_be_visible()
    assert "q=apron" in page.url
    page.get_by_role("searchbox").fill("table")
    expect(page.locator("#rows")).to_contain_text("Oak table")
    page.get_by_text("Own dates").click()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**from=**")
    assert "q=table" in page.url
    page.get_by_role("searchbox").fill("mug")
    expect(page.locator("#rows")).to_contain_text("Blue mug")
    page.get_by_role("link", name="Deutsch").click()
    page.wait_for_url("**lang=de**")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("code", list(LANGUAGES))
@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_charts_words_stay_in_their_frame(
    size: Any, code: str, stand: Stand, browser: Browser
) -> None:
    """Days, weeks and months are long words somewhere; none hangs out of the chart's frame and none
    touches the next."""
    context = browser.new_context(viewport=size)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    for asked in (
        "range=7-days",
        "range=90-days",
        "range=12-months",
        "from=2022-01-01&to=2026-11-18",
    ):
        page.goto(f"{stand.site.url}/dashboard/?{asked}&lang={code}")
        frame = page.locator(".chart").bounding_box()
        words = [box for text in page.locator("text.day").all() if (box := text.bounding_box())]
        assert frame is not None
        assert len(words) >= 2
        assert all(frame["x"] <= word["x"] for word in words)
        assert all(word["x"] + word["width"] <= frame["x"] + frame["width"] for word in words)
        for one, following in itertools.pairwise(words):
            assert one["x"] + one["width"] < following["x"], asked
    context.close()


def test_the_chart_says_what_is_under_the_pointer(stand: Stand, browser: Browser) -> None:
    """Over a column the day's numbers are written above the chart; beside it nothing is."""
    context = browser.new_context(viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")

    page.locator(".place").first.hover()
    expect(page.locator(".readout")).to_have_text("Thu, 12 Nov 2026: 25 visitors, 40 views")
    page.locator("h1").hover()
    expect(page.locator(".readout")).to_have_text("")
    context.close()


def test_a_keyboard_reaches_everything(stand: Stand, browser: Browser) -> None:
    """Tab by tab, from the skip link on: whatever has the focus can be seen to have it, and the
    ranges, the search, the products and the languages all get it."""
    context = browser.new_context(viewport=DESK)
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    page.goto(f"{stand.site.url}/dashboard/?range=7-days")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, width = page.evaluate(
            "() => { const e = document.activeElement;"
            " return [(e.textContent || e.placeholder || '').trim(),"
            " parseFloat(getComputedStyle(e).outlineWidth)]; }"
        )
        if name and not name.startswith("Handmade"):
            seen.append(name)
            assert width >= 2, f"no focus to be seen on {name}"

    assert seen[0] == "Skip to the numbers"
    for name in ("90 days", "Search products", "Oak table", "Download as CSV", "Latviešu"):
        assert name in seen


def test_nothing_is_fetched_from_elsewhere_and_nothing_jumps(
    stand: Stand, browser: Browser
) -> None:
    """Every request of every page goes to our own host, and no page moves while it loads."""
    context = browser.new_context(viewport=PHONE)
    context.add_init_script(
        "window.shifts = 0; new PerformanceObserver(list => list.getEntries()"
        ".forEach(e => { window.shifts += e.value; }))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    stand.sign_in(context, stand.visits.seller)
    page = context.new_page()
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    for path in ("/dashboard/?range=90-days", "/dashboard/product?product=1", "/dashboard/words"):
        page.goto(stand.site.url + path, wait_until="networkidle")
        assert page.evaluate("window.shifts") == 0, path
    assert hosts == {f"127.0.0.1:{stand.site.port}"}
    context.close()
