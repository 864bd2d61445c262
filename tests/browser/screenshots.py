"""Take the README's pictures again: `python -m tests.browser.screenshots [SHOP [FOLDER]]`.

Wants a demo that runs (`make run`) and has closed its past days. What is in the pictures is the
demo's: generated visits, an invented shop.
"""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM

SHOP = "http://127.0.0.1:8000/demo/"
FOLDER = Path("docs/images")
SELLER, PRODUCT = "Klayfold", "Heron teapot"
# Sizes in playwright's words.
DESK: Any = {"width": 1120, "height": 860}
PHONE: Any = {"width": 390, "height": 844}


def opened(browser: Browser, shop: str, who: str, **options: Any) -> Page:
    """Return a tab in which somebody has just signed in."""
    page = browser.new_context(**options).new_page()
    page.goto(f"{shop}sellers")
    page.get_by_role("button", name=f"Sign in as {who}").click()
    page.wait_for_url("**/dashboard/")
    return page


def take(page: Page, folder: Path, name: str, *, height: int | None = None) -> None:
    """Save what is on the screen, or a page's first pixels down to a height."""
    path = folder / f"{name}.png"
    page.mouse.move(0, 0)
    if height is not None:
        size: Any = dict(page.viewport_size or DESK) | {"height": height}
        page.set_viewport_size(size)
    page.screenshot(path=path)
    print(f"{path}  {path.stat().st_size // 1000} kB")  # noqa: T201  # the command's answer


def main() -> None:
    """Take them all."""
    shop = sys.argv[1] if len(sys.argv) > 1 else SHOP
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = opened(browser, shop, SELLER, viewport=DESK)
        take(page, folder, "overview", height=1280)
        phone = {"viewport": PHONE, "device_scale_factor": 1.5, "color_scheme": "dark"}
        page = opened(browser, shop, SELLER, **phone)
        page.get_by_role("link", name=PRODUCT).first.click()
        page.get_by_role("heading", level=1).wait_for()
        take(page, folder, "product-phone", height=1560)
        page = opened(browser, shop, "the marketplace", viewport=DESK)
        take(page, folder, "marketplace", height=1080)
        browser.close()


if __name__ == "__main__":
    main()
