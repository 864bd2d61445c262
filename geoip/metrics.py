"""What the location door measures: how many lookups, how old a database; never which country."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from geoip.app import Location

BASES = ("chosen", "address", "none")


class LocationMetrics:
    """A collector for a prometheus_client registry."""

    def __init__(self, door: Location) -> None:
        self._door = door

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as the registry asks for them."""
        tally, countries = self._door.tally, self._door.countries
        now, database = self._door.clock(), self._door.countries.database
        lookups = CounterMetricFamily(
            "collector_location_lookups", "Answers, by what decided.", labels=["basis"]
        )
        for basis in BASES:
            lookups.add_metric([basis], tally[basis])
        yield lookups
        yield _counter("refused", "Requests answered with an error.", tally["refused"])
        yield _counter("malformed_items", "Bad lookups in batches.", tally["malformed"])
        yield _counter("database_swaps", "Databases taken over while running.", countries.reloads)
        yield _counter(
            "database_failures", "Lookups that met a damaged record.", countries.failures
        )
        yield _gauge(
            "database_age_seconds", "Since its publisher built it.", now - database.built_at
        )
        yield _gauge("database_stale", "1 when it is over 35 days old.", database.is_stale(now))
        yield _gauge(
            "database_refused", "1 when a newer file can't be used.", countries.problem is not None
        )


def _counter(name: str, documentation: str, value: float) -> Metric:
    return CounterMetricFamily(f"collector_location_{name}", documentation, value=value)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"collector_location_{name}", documentation, value=float(value))
