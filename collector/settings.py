"""Settings: what the environment says, checked once at start.

Every setting is a variable with the prefix COLLECTOR_. A bad value stops the start with one
sentence that names the variable and what would do. Only composition roots read this.
"""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from collector import networks
from collector.keys import SECRET_BYTES_MIN
from collector.networks import Network

PREFIX = "COLLECTOR_"
BREAKDOWN_MIN_LEAST = 3
KEEP_COUNTS_DAYS_LEAST = 62

ConsentFormat = Literal[
    "own",
    "plain",
    "cookiebot",
    "onetrust",
    "cookieyes",
    "cookieconsent",
    "klaro",
    "complianz",
    "wp-consent-api",
]


class BadSettings(ValueError):
    """The environment can't be used; the text names each variable and what would do."""


class Settings(BaseSettings):
    """The design's table, one attribute a row, in lower case and without the prefix."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # `SALT_DIR=` in a compose file means its default, not "here"
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Path("data")
    salt_dir: Path | None = None
    secret: str | None = Field(None, repr=False)
    secret_file: Path | None = None
    secret_previous: str | None = Field(None, repr=False)
    clickhouse_dsn: str = Field("", repr=False)
    beacons_bind: str = "127.0.0.1:8000"
    reports_bind: str = "127.0.0.1:8001"
    beacons_url: str = ""
    reports_url: str = ""
    path_prefix: str = ""
    workers: int = Field(1, ge=1, le=64)
    timezone: Annotated[ZoneInfo, NoDecode] = ZoneInfo("UTC")
    trusted_proxies: Annotated[tuple[Network, ...] | None, NoDecode] = None
    origins: Annotated[tuple[str, ...], NoDecode] = ()
    compatible_paths: str = ""
    consent_cookie: str = ""
    consent_format: ConsentFormat = "own"
    consent_category: str = ""
    consent_cookie_domain: str = ""
    policy_url: str = ""
    honour_gpc: bool = True
    honour_dnt: bool = True
    visitor_views_max: int = Field(200, ge=1, le=65_535)
    queue_max: int = Field(20_000, ge=1, le=1_000_000)
    today_step_minutes: int = Field(15, ge=0, le=1440)
    breakdown_min: int = Field(5, ge=BREAKDOWN_MIN_LEAST, le=1000)
    keep_counts_days: int = 0
    backup_dir: Path | None = None
    geoip_database: Path | None = None
    geoip_url: str = ""
    geoip_account: str = ""
    geoip_licence_key: str = Field("", repr=False)
    home_country: str = ""
    zones_file: Path | None = None
    frame_ancestors: Annotated[tuple[str, ...], NoDecode] = ()
    seller_area_url: str = ""
    brand_name: str = ""
    brand_colour: str = ""
    brand_logo: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("secret", "secret_previous")
    @classmethod
    def _secret(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) < SECRET_BYTES_MIN:
            raise ValueError(
                f"shorter than {SECRET_BYTES_MIN} bytes; `openssl rand -hex 32` will do"
            )
        return value

    @field_validator("beacons_bind", "reports_bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise ValueError("must be host:port, for example 127.0.0.1:8000")
        return value

    @field_validator("beacons_url", "reports_url", "seller_area_url", "policy_url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise ValueError("must be a URL such as https://stats.example.com")
        return value.rstrip("/")

    @field_validator("clickhouse_dsn")
    @classmethod
    def _clickhouse_dsn(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "clickhouse" or not parts.hostname):
            raise ValueError("must be clickhouse://user:password@host:8123/database")
        return value

    @field_validator("path_prefix")
    @classmethod
    def _path_prefix(cls, value: str) -> str:
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value.rstrip("/")):
            raise ValueError("must be a path such as /stats")
        return value.rstrip("/")

    @field_validator("timezone", mode="before")
    @classmethod
    def _timezone(cls, value: object) -> object:
        if isinstance(value, str):
            if value not in available_timezones():
                raise ValueError("must be an IANA time zone such as Europe/Athens")
            return ZoneInfo(value)
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _trusted_proxies(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return networks.listed(value)

    @field_validator("origins", "frame_ancestors", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = _list(value)
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    "must list origins such as https://shop.example, in lower case, without a path"
                    " and without *"
                )
            # Browsers leave it out, so it would never be found.
            if origin.endswith(":443" if origin.startswith("https:") else ":80"):
                raise ValueError("must list origins without the port that is usual anyway")
        return origins

    @field_validator("consent_cookie")
    @classmethod
    def _consent_cookie(cls, value: str) -> str:
        if value and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", value):
            raise ValueError("must be a cookie's name, such as statistics_consent")
        return value

    @field_validator("consent_cookie_domain")
    @classmethod
    def _consent_cookie_domain(cls, value: str) -> str:
        if value and not re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*", value):
            raise ValueError("must be a domain such as example.com")
        return value

    @field_validator("keep_counts_days")
    @classmethod
    def _keep_counts_days(cls, value: int) -> int:
        if value != 0 and value < KEEP_COUNTS_DAYS_LEAST:
            raise ValueError(f"must be 0 (for ever) or at least {KEEP_COUNTS_DAYS_LEAST}")
        return value

    @field_validator("home_country")
    @classmethod
    def _home_country(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Z]{2}", value):
            raise ValueError("must be an ISO 3166-1 code in capitals, such as GR")
        return value

    @field_validator("brand_colour")
    @classmethod
    def _brand_colour(cls, value: str) -> str:
        if value and not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError("must be a colour such as #0b6e4f")
        return value

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError(f"{PREFIX}SECRET and {PREFIX}SECRET_FILE: set one of them")
        return self

    @property
    def salts(self) -> Path:
        """Where the day's salts are."""
        return self.salt_dir if self.salt_dir is not None else self.data_dir / "salts"

    @property
    def beacons_public_url(self) -> str:
        """How browsers reach the beacons process, without PATH_PREFIX."""
        return self.beacons_url or f"http://{self.beacons_bind}"

    @property
    def reports_public_url(self) -> str:
        """How browsers and backends reach the reports process, without PATH_PREFIX."""
        return self.reports_url or f"http://{self.reports_bind}"

    @property
    def consent_cookie_name(self) -> str:
        """The own cookie's name; empty where the format brings its own."""
        return self.consent_cookie or ("statistics_consent" if self.consent_format == "own" else "")


_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def read(environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """Return the settings and a sentence for every variable that nobody reads.

    Errors  BadSettings, whose text has a line for each variable that can't be used; it never
            quotes a value, because a value may be a secret.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise BadSettings("\n".join(_line(item) for item in error.errors())) from None
    return settings, _unknown(environment)


def _line(item: Mapping[str, object]) -> str:
    place = item["loc"]
    message = str(item["msg"]).removeprefix("Value error, ")
    if isinstance(place, tuple) and place:
        return f"{PREFIX}{str(place[0]).upper()}: {message}"
    return message


def _unknown(environment: Mapping[str, str]) -> list[str]:
    known = [name.upper() for name in Settings.model_fields]
    warnings = []
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX)  # the prefix would make everything look near
        if variable.startswith(PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {PREFIX}{nearest[0]}?" if nearest else ""
            warnings.append(f"{variable}: no such setting{hint}")
    return warnings


def bind_parts(bind: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host stands in brackets."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def is_loopback(bind: str) -> bool:
    """Return whether only this machine can reach the bind."""
    host, _ = bind_parts(bind)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trusted_networks(settings: Settings, bind: str) -> tuple[Network, ...]:
    """Return whose X-Forwarded-For is believed: as set, else loopback behind a loopback bind."""
    if settings.trusted_proxies is not None:
        return settings.trusted_proxies
    if is_loopback(bind):
        return (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    return ()
