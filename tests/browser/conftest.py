"""Chromium as Debian ships it, and a shop for it to visit."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.running import USER_AGENT, Shop, running
from tests.browser.shop_server import WAIT_SECONDS

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chromium calls itself headless otherwise, and the collector leaves robots out.
    f"--user-agent={USER_AGENT}",
]
# Playwright switches the back-forward cache off; visitors have it on.
IGNORED = ["--disable-back-forward-cache"]
NPM = Path(__file__).parent.parent.parent / ".cache" / "npm"
TURBO, PLAUSIBLE = "@hotwired/turbo@8.0.23", "@plausible-analytics/tracker@0.4.6"


expect.set_options(timeout=WAIT_SECONDS * 1000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright itself."""
    with sync_playwright() as started:
        yield started


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Run Chromium until the block ends."""
    started = playwright.chromium.launch(
        executable_path=CHROMIUM, args=ARGUMENTS, ignore_default_args=IGNORED
    )
    yield started
    started.close()


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for the run; each test has a visitor of its own in it."""
    with chromium(playwright) as started:
        yield started


@pytest.fixture
def rested_browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium of the test's own: after a hundred tests the shared one rendered no page ahead."""
    with chromium(playwright) as started:
        yield started


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor who was never here."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    """The visitor's tab."""
    visitor.set_default_timeout(WAIT_SECONDS * 1000)
    return visitor.new_page()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with the collector on its own origin, which also listens to another site."""
    with running(
        tmp_path_factory.mktemp("shop"), ORIGINS="http://elsewhere.localhost:{port}"
    ) as started:
        yield started


@pytest.fixture
def seller() -> str:
    """A seller of the test's own."""
    return f"seller-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def npm() -> Path:
    """The folder with the real packages that pages of other makers load, as npm installs them."""
    if (
        not (NPM / "node_modules" / "@hotwired").exists()
        or not (NPM / "node_modules" / "@plausible-analytics").exists()
    ):
        NPM.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).parent / "npm"), "install", "--prefix", str(NPM)]
        options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        options += ["--fetch-timeout=30000", "--fetch-retries=3"]
        subprocess.run([*command, *options, TURBO, PLAUSIBLE], check=True, timeout=240)
    return NPM / "node_modules"
