"""The bare application: the same GIF from uvicorn as it comes, and nothing else done.

`python -m bench.bare HOST:PORT`
"""

import sys
from typing import Any

import uvicorn

from collector.beacon_answers import PIXEL
from collector.http.server import configure_logging, listen

HEADERS = [
    (b"content-type", b"image/gif"),
    (b"content-length", b"%d" % len(PIXEL)),
    (b"cache-control", b"no-store"),
]


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request alike."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PIXEL})


if __name__ == "__main__":
    configure_logging("warning")
    config = uvicorn.Config(
        answer, loop="uvloop", http="httptools", log_config=None, access_log=False,
        proxy_headers=False, server_header=False, date_header=False, ws="none",
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listen(sys.argv[1], "the bench's")])
