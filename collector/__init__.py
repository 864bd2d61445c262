"""Product pages' door: beacons become hits, hits become daily counts."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("collector")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0"
