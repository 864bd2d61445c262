"""The location door, served once for the tests that only ask."""

from collections.abc import Iterator

import pytest

from tests.geoip.running import Server, served


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The bundled database, Germany as home, one origin that may read."""
    with served(home="DE", origins=("https://shop.example",)) as running:
        yield running
