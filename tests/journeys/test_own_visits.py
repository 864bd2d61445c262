"""Own visits: from the seller's dashboard to a browser that isn't counted, over both ports."""

import re
from urllib.parse import urlencode, urlsplit

from tests.journeys.asking import ask
from tests.journeys.running import FIREFOX, GRANTED, Collector

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_seller_leaves_a_browser_out_from_the_dashboard(
    collector: Collector, seller: str
) -> None:
    """A seller who looks at an own product is counted, follows the link at the foot of the
    dashboard to the beacons' port, presses the one button there and is not counted any more;
    pressing it again brings the browser back. The cookie holds no id."""
    assert collector.pixel(seller).counted == "yes"

    login = urlencode({"token": collector.token("login", seller)}).encode()
    entered = ask(collector.reports, "POST", "/dashboard/login", FORM, login)
    session = entered.headers["set-cookie"].partition(";")[0]
    shown = ask(collector.reports, "GET", "/dashboard/?lang=lv", {"Cookie": session})
    found = re.search(r'href="([^"]+/own\?lang=lv)"', shown.content.decode())
    assert found is not None
    address = urlsplit(found[1])
    assert address.port == collector.beacons

    target = f"{address.path}?{address.query}"
    page = ask(collector.beacons, "GET", target, {"Cookie": GRANTED}).content.decode()
    assert 'lang="lv"' in page
    assert re.search(r'<button name="own" value="yes">', page)
    form = FORM | {"Origin": f"{address.scheme}://{address.netloc}", "User-Agent": FIREFOX}
    pressed = ask(collector.beacons, "POST", address.path, form, b"own=yes&lang=lv")
    cookie = pressed.headers["set-cookie"].partition(";")[0]
    assert cookie == "collector_own=1"
    assert collector.pixel(seller, cookie=f"{GRANTED}; {cookie}").counted == "own"

    again = ask(collector.beacons, "POST", address.path, form, b"own=no&lang=lv")
    assert "Max-Age=0" in again.headers["set-cookie"]
    assert collector.summary(seller) == (1, 1)
