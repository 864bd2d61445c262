"""Sign-in: a token from the shop's backend becomes a session in one browser, once."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

from collector.access import Access
from tests.dashboards.running import Site, Visits, token

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Serve = Callable[..., Site]


def post(site: Site, login: str, path: str = "/dashboard/login") -> tuple[int, dict[str, str], str]:
    """Send the sign-in form; return status, headers and page."""
    answer = site.ask(path, method="POST", headers=FORM, body=urlencode({"token": login}).encode())
    return answer.status, dict(answer.headers), answer.text


def test_a_login_token_opens_the_dashboard_once(site: Site, visits: Visits) -> None:
    """The shop sends its seller with a token: the browser gets a session and the page. The same
    token again, from a log or a shoulder, opens nothing and says why."""
    visits.add("cup", 1)
    login = token("login", visits.seller)

    status, headers, _ = post(site, login)
    page = site.ask("/dashboard/", headers={"Cookie": headers["set-cookie"].partition(";")[0]})
    again, _, refused = post(site, login)

    assert (status, headers["location"]) == (303, "/dashboard/")
    assert page.status == 200
    assert visits.seller in page.text
    assert again == 401
    assert "token: this sign-in was used; ask for a new one" in refused


def test_the_cookie_is_closed_to_scripts_and_other_paths(site: Site, serve: Serve) -> None:
    """Over plain http on loopback: HttpOnly, the dashboard's path, Lax. Over https: also Secure.
    In another site's frame: None and Partitioned, which browsers accept only with Secure."""

    def cookie(where: Site, path: str = "") -> list[str]:
        _, headers, _ = post(where, token("login", "someone"), f"{path}/dashboard/login")
        return headers["set-cookie"].split("; ")[1:]

    life = "Max-Age=28800"
    assert cookie(site) == [life, "Path=/dashboard", "HttpOnly", "SameSite=Lax"]
    assert cookie(serve(public_url="https://stats.example", path_prefix="/stats"), "/stats") == [
        life,
        "Path=/stats/dashboard",
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
    ]
    assert cookie(serve(frame_ancestors=("https://shop.example",))) == [
        life,
        "Path=/dashboard",
        "HttpOnly",
        "Secure",
        "SameSite=None",
        "Partitioned",
    ]


def test_a_link_previewer_does_not_use_the_token_up(site: Site) -> None:
    """A chat program opens the link to preview it, twice. It sees one button; the seller who
    presses it afterwards is in."""
    login = token("login", "someone")
    for _ in range(2):
        page = site.ask("/dashboard/login", token=login)
        assert page.status == 200
        assert "set-cookie" not in page.headers
        assert page.headers["cache-control"] == "no-store"
        assert f'value="{login}"' in page.text

    assert post(site, login)[0] == 303


def test_nobody_signed_in_is_told_where_to_go(serve: Serve) -> None:
    """Without a session the page says so, shows nobody's numbers and links to the seller area."""
    site = serve(seller_area_url="https://shop.example/sellers")

    page = site.ask("/dashboard/")

    assert page.status == 401
    assert "You are signed out" in page.text
    assert 'href="https://shop.example/sellers"' in page.text


def test_a_session_that_was_ended_says_so(site: Site, door: Access, visits: Visits) -> None:
    """The marketplace revokes a seller's sessions: the open page's next click says that the
    sign-in has ended, and shows no number."""
    visits.add("cup", 1)
    cookie = site.sign_in(visits.seller)
    assert site.ask("/dashboard/", headers={"Cookie": cookie}).status == 200

    door.revoke(visits.seller, issued_before=int(time.time()) + 1)
    page = site.ask("/dashboard/", headers={"Cookie": cookie})

    assert page.status == 401
    assert "Your sign-in has ended" in page.text
    assert "token: revoked; ask for a new one" in page.text


def test_signing_out_ends_the_session_in_this_browser(site: Site, visits: Visits) -> None:
    """The button makes the browser forget its cookie; a form on another site can't press it."""
    cookie = {"Cookie": site.sign_in(visits.seller)}

    out = site.ask("/dashboard/logout", method="POST", headers=cookie)
    foreign = site.ask(
        "/dashboard/logout", method="POST", headers=cookie | {"Sec-Fetch-Site": "cross-site"}
    )

    assert out.status == 303
    assert out.headers["set-cookie"].startswith("collector_session=; Max-Age=0; Path=/dashboard;")
    assert foreign.status == 403
    assert "set-cookie" not in foreign.headers


def test_a_foreign_cookie_of_the_same_name_does_no_harm(site: Site, visits: Visits) -> None:
    """A neighbouring page planted a malformed cookie and one of our name: ours still works."""
    visits.add("cup", 1)
    good = site.sign_in(visits.seller)

    page = site.ask(
        "/dashboard/",
        headers={"Cookie": f'prefs={{"a":"b,c"}}; collector_session=planted; {good}; x'},
    )

    assert page.status == 200


def test_a_form_that_is_not_one_is_refused(site: Site) -> None:
    """No token, another type, too long: each is told apart."""
    empty = site.ask("/dashboard/login", method="POST", headers=FORM, body=b"")
    typed = site.ask("/dashboard/login", method="POST", body=b"{}")
    long = site.ask("/dashboard/login", method="POST", headers=FORM, body=b"token=" + b"x" * 30_000)

    assert empty.status == 401
    assert "token: missing; open the dashboard from your seller area" in empty.text
    assert typed.status == 415
    assert "Content-Type: must be application/x-www-form-urlencoded" in typed.text
    assert long.status == 413
    assert "body: at most 24576 bytes allowed" in long.text


def test_pages_may_be_framed_by_those_named_and_nobody_else(serve: Serve, site: Site) -> None:
    """Without the setting no page shows us in a frame; with it, only the shop's does. Nothing
    inline and nothing from elsewhere runs in either."""
    framed = serve(frame_ancestors=("https://shop.example", "https://www.shop.example"))

    alone = site.ask("/dashboard/").headers["content-security-policy"]
    shown = framed.ask("/dashboard/").headers["content-security-policy"]

    assert "frame-ancestors 'none'" in alone
    assert "frame-ancestors https://shop.example https://www.shop.example" in shown
    assert "default-src 'none'" in shown
    assert "unsafe" not in shown
