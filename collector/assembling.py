"""Assembling: what a composition root's parts find wrong becomes one sentence about a setting."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator

from collector.settings import PREFIX, BadSettings

_NAMES_A_SETTING = re.compile(r"[A-Z][A-Z_]+: ")


@contextlib.contextmanager
def assembling() -> Iterator[None]:
    """Put parts together in the block.

    Errors  BadSettings where a part refuses a setting by its name, or can't use DATA_DIR. A bug's
            ValueError names no setting and stays what it is.
    """
    try:
        yield
    except BadSettings:
        raise
    except ValueError as error:
        if not _NAMES_A_SETTING.match(str(error)):
            raise
        raise BadSettings(f"{PREFIX}{error}") from None
    except OSError as error:
        raise BadSettings(f"{PREFIX}DATA_DIR: can't be used ({error.strerror})") from None
    except sqlite3.Error as error:
        raise BadSettings(f"{PREFIX}DATA_DIR: can't be used ({error})") from None
