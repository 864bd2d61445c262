"""What a caller asks: the body of a request, read strictly.

An unknown field is refused, because a misspelt `chosen` would silently give another country. No
error quotes a value or a field's unknown name: either could be an address.
"""

import json
from typing import Any, NamedTuple

from geoip import names
from geoip.address import IPAddress, parse
from geoip.part import POSTCODE_CHARACTERS_MAX
from geoip.territory import COUNTRIES

LOOKUPS_MAX = 100
# A hundred lookups with the longest address, a choice and a postcode fit without indentation.
BODY_BYTES_MAX = 16 * 1024


_SINGLE = frozenset({"ip", "chosen", "postcode", "lang"})
_BATCH = frozenset({"lookups", "lang"})
_ITEM = frozenset({"ip", "chosen", "postcode"})
_CHOICE = frozenset({"country"})


class Malformed(Exception):
    """One sentence, and the field that it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Lookup(NamedTuple):
    """One question: an address, a choice, or both; and a postcode where one was asked for."""

    address: IPAddress | None
    chosen: str | None
    postcode: str | None


class Question(NamedTuple):
    """All that one request asks. `is_batch` says which shape the answer has."""

    lookups: tuple[Lookup | Malformed, ...]
    is_batch: bool
    language: str | None


def read(body: bytes) -> Question:
    """Return the question in a POST's body.

    Errors  Malformed: not JSON, not an object, an unknown field, a wrong type, a bad address or
            country. In a batch a bad item takes its own error along instead.
    """
    fields = _object(body)
    if "lookups" not in fields:
        _refuse_unknown(fields, _SINGLE, "body")
        language = _language(fields)
        return Question((_lookup(fields, ""),), is_batch=False, language=language)
    _refuse_unknown(fields, _BATCH, "body")
    items = fields["lookups"]
    if not isinstance(items, list) or not 1 <= len(items) <= LOOKUPS_MAX:
        raise Malformed("lookups", f"must be a list of 1 to {LOOKUPS_MAX} lookups")
    lookups = tuple(_item(item, f"lookups[{number}]") for number, item in enumerate(items))
    return Question(lookups, is_batch=True, language=_language(fields))


def read_choice(body: bytes) -> str:
    """Return the country in a PUT's body, `{"country": "DE"}`.

    Errors  Malformed, as for `read`.
    """
    fields = _object(body)
    _refuse_unknown(fields, _CHOICE, "body")
    if fields.get("country") is None:
        raise Malformed("country", "is missing; send a code such as DE")
    return country(fields["country"], "country")


def country(value: object, field: str) -> str:
    """Return a country code in capitals.

    Errors  Malformed when it is none; the two that are often meant are named.
    """
    code = value.upper() if isinstance(value, str) and value.isascii() else ""
    if code in COUNTRIES:
        return code
    raise Malformed(
        field,
        "must be an ISO 3166-1 alpha-2 code such as DE (Greece is GR, the United Kingdom is GB)",
    )


def _item(item: object, where: str) -> Lookup | Malformed:
    try:
        if not isinstance(item, dict):
            raise Malformed(where, 'must be an object such as {"ip": "…"}')
        _refuse_unknown(item, _ITEM, where)
        return _lookup(item, f"{where}.")
    except Malformed as error:
        return error


def _lookup(fields: dict[str, Any], prefix: str) -> Lookup:
    chosen = fields.get("chosen")
    if chosen is not None:
        chosen = country(chosen, f"{prefix}chosen")
    address = _address(fields.get("ip"), f"{prefix}ip")
    if address is None and chosen is None:
        raise Malformed(f"{prefix}ip", "is missing; send an address, or a country as chosen")
    return Lookup(address, chosen, _postcode(fields.get("postcode"), f"{prefix}postcode"))


def _address(value: object, field: str) -> IPAddress | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed(field, "must be text with an IPv4 or IPv6 address")
    try:
        return parse(value)
    except ValueError as error:
        raise Malformed(field, str(error)) from None


def _postcode(value: object, field: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= POSTCODE_CHARACTERS_MAX:
        raise Malformed(field, f"must be text of 1 to {POSTCODE_CHARACTERS_MAX} characters")
    return value


def _language(fields: dict[str, Any]) -> str | None:
    value = fields.get("lang")
    if value is None:
        return None
    if not isinstance(value, str) or (language := names.offered(value)) is None:
        raise Malformed("lang", f"must be one of {', '.join(sorted(names.LANGUAGES))}")
    return language


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body.decode())  # as text, or json guesses the encoding first
    except (ValueError, RecursionError):
        raise Malformed("body", "can't be read as JSON") from None
    if not isinstance(fields, dict):
        raise Malformed("body", 'must be a JSON object such as {"ip": "…"}')
    return fields


def _refuse_unknown(fields: dict[str, Any], known: frozenset[str], where: str) -> None:
    if not fields.keys() <= known:
        raise Malformed(where, f"has an unknown field; known are {', '.join(sorted(known))}")
