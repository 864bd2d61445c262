"""The server: uvicorn, set up so that it logs no address and ends cleanly.

The access log stays off, because it prints client addresses; proxies are read by `address`, not
by uvicorn, which would believe the leftmost, forged entry.
"""

import gc
import logging
import socket
import sys
from pathlib import Path
from traceback import extract_tb
from typing import Any

import uvicorn

from collector.http.express import ExpressProtocol
from collector.settings import PREFIX, BadSettings, bind_parts

SHUTDOWN_SECONDS = 10
BACKLOG = 2048
GARBAGE_OBJECTS = 10_000  # Between collections; a beacon makes a few dozen objects.


def configure_logging(level: str) -> None:
    """Log to standard error: time, level, logger, sentence."""
    logging.basicConfig(
        level=level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).addFilter(_without_values)
    # What it says about its own start and stop, we say in our words; and a warning for every
    # request that is none would let anybody fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.access").disabled = True


def _without_values(record: logging.LogRecord) -> bool:
    """Let an unexpected error say where it happened, and not with which values.

    An exception's text may quote what it failed on: a header, an address, a cookie.
    """
    if record.exc_info and record.exc_info[0] is not None:
        kind, _, frames = record.exc_info
        places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in extract_tb(frames)]
        record.msg = f"{kind.__name__} while answering a request, at {' > '.join(places[-6:])}"
        record.args, record.exc_info, record.exc_text = (), None, None
    return True


def listen(bind: str, setting: str) -> socket.socket:
    """Return a listening socket.

    setting  the name of the setting that holds the bind, without its prefix
    Errors   BadSettings with one sentence when the bind is taken or not this machine's.
    """
    host, port = bind_parts(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = f"can't listen on {bind} ({error.strerror})"
        raise BadSettings(f"{PREFIX}{setting}: {why}") from None
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def collect_seldom() -> None:
    """Look for garbage seldom, and never in what is there now: what was loaded stays.

    Why  looking costs a beacon a twentieth, and a day's close, which holds a group's rows, a third.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 50)


def serve(application: Any, listener: socket.socket) -> None:
    """Answer until SIGTERM or SIGINT; the application's lifespan ends before this returns.

    Afterwards uvicorn raises the signal again, so nothing that matters may come after this call.
    """
    collect_seldom()
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=ExpressProtocol,
        lifespan="on",
        log_config=None,
        log_level=None,  # as `configure_logging` set it
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listener])
