"""Fills its disk and seals: `python -m tests.faults.sealing_on_full_disk FOLDER`.

The folder is on a small disk of its own. Prints how many bytes were free when the seal began, what
it did without its ballast and with it, and whether the numbers are right.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, BinaryIO

from collector.day_key import DESTROY_AFTER_SECONDS, destroy_old_salts
from collector.warehouse import Warehouse
from tests.collector.sealing import DAY, UTC_ZONE, Shop, noon, some_hits, totals_of

BALLAST_BYTES = 16 * 1024 * 1024
STEPS = 40


def is_filled(folder: Path, filler: BinaryIO) -> bool:
    """Fill the disk; return whether it stays full, which the engine's cleaning up may prevent."""
    try:
        while filler.write(bytes(4096)):
            pass
    except OSError:
        pass
    try:
        (folder / "one more").write_bytes(b"x" * 4096)
    except OSError:
        return True
    return False


def story(folder: Path) -> dict[str, Any]:
    """Prepare a day, fill the disk, and seal."""
    warehouse = Warehouse(folder / "clickhouse")
    warehouse.migrate()
    shop = Shop(folder, warehouse, ballast_bytes=BALLAST_BYTES)
    shop.seal.step()
    held = shop.ballast.held
    shop.visit(DAY, some_hits(2_000, 41))
    shop.now = noon(DAY) + 12 * 3600 + DESTROY_AFTER_SECONDS
    with (folder / "filler").open("wb", buffering=0) as filler:
        full = any(is_filled(folder, filler) for _ in range(10))
    free = shutil.disk_usage(folder).free
    gone = destroy_old_salts(shop.salts, shop.now, UTC_ZONE)
    shop.midnight_after(DAY)
    shop.seal_all()
    answer = {
        "held": held,
        "free": free,
        "full": full,
        "salts destroyed": len(gone),
        "salts left": len(list(shop.salts.iterdir())),
        "held after": shop.ballast.held,
        "state": shop.state_of(DAY),
        "right": shop.totals(DAY) == totals_of(shop.written[DAY]),
        "hits": shop.client.query("select count() from hits").result_rows[0][0],
        "spool": (shop.spool / DAY.isoformat()).exists(),
    }
    shop.stop()
    warehouse.close()
    return answer


if __name__ == "__main__":
    sys.stdout.write(json.dumps(story(Path(sys.argv[1]))))
    sys.stdout.flush()
    os._exit(0)
