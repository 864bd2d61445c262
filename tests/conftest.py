"""What every test shares: where tools keep what they remember, and marks by folder."""

from pathlib import Path

import pytest
from hypothesis import configuration

HERE = Path(__file__).parent

# Otherwise Hypothesis writes a folder of its own into the tree.
configuration.set_hypothesis_home_dir(HERE.parent / ".cache" / "hypothesis")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies under tests/browser and tests/faults, so that nobody forgets to."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in {"browser", "faults"}:
            item.add_marker(folder)
