"""The snippets: what a product's page carries, with and without a script.

Two, because a page that runs Turbo executes the image inside <noscript> as well: the page with
JavaScript gets the script, the one without gets the pixel, and no page gets both.
"""

from html import escape
from urllib.parse import urlencode

from collector import keys, page_tag, secret
from collector.hit import is_name
from collector.settings import Settings


def script_tag(base: str, seller: str, product: str, signature: str) -> str:
    """Return the line for the page's head; `base` is BEACONS_URL with PATH_PREFIX."""
    return (
        f'<script defer src="{escape(base)}/beacon.js" data-seller="{escape(seller)}"'
        f' data-product="{escape(product)}" data-sig="{signature}"></script>'
    )


def pixel_tag(base: str, seller: str, product: str, signature: str) -> str:
    """Return the image for a page without JavaScript, to be written when consent was given."""
    query = urlencode({"seller": seller, "product": product, "sig": signature})
    return (
        f'<img src="{escape(f"{base}/pixel.gif?{query}")}" width="1" height="1" alt=""'
        ' loading="eager" referrerpolicy="no-referrer">'
    )


def snippets(settings: Settings, seller: str, product: str) -> str:
    """Return both snippets for one product, with a word on which page gets which.

    Errors  ValueError when a name can't be one.
    """
    for field, name in (("seller", seller), ("product", product)):
        if not is_name(name):
            raise ValueError(f"{field}: must be 1 to 128 characters without control characters")
    signature = page_tag.sign(seller, product, keys.derive(secret.load(settings), "page-tag"))
    base = settings.beacons_public_url + settings.path_prefix
    return "\n".join(
        [
            "<!-- Into the head of the product's page: -->",
            script_tag(base, seller, product, signature),
            "",
            "<!-- Or, for a page without JavaScript, where the visitor's cookie allows it: -->",
            pixel_tag(base, seller, product, signature),
        ]
    )
