"""What the packaging tests share: one installed wheel a run."""

import pytest

from tests.packaging.wheel import Installed, install


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this tree, in an environment of its own."""
    return install(tmp_path_factory.mktemp("wheel"))
