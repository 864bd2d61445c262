"""What every bench needs: servers on a core of their own, loads on another, and the clock.

Loads 127.0.0.1 only. Whatever is started here ends with the block that started it.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from collector import keys, tokens

HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = "0", "1"
CONNECTIONS = 64
SECRET = "b" * 64
READY_SECONDS = 60
END_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    ready: str,
    core: str = SERVER_CORE,
    *,
    program: str = sys.executable,
) -> Iterator[int]:
    """Run a server on one core until the block ends; yields its pid once `ready` is answered."""
    started = subprocess.Popen(
        ["taskset", "-c", core, program, *arguments], env={**os.environ, **environment}
    )
    try:
        wait_for(ready, started)
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(url: str, started: subprocess.Popen[bytes]) -> None:
    """Return once a URL is answered, whatever the answer; SystemExit when the server has gone."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and started.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url}: no answer")


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a running process has used, from Linux's /proc (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def token(scope: str, seller: str | None = None) -> str:
    """Return a token signed with the bench's secret."""
    of_operator = scope == "operator" or (scope == "login" and seller is None)
    key = keys.derive(SECRET.encode(), "operator" if of_operator else "token")
    return tokens.mint(scope, key, now=int(time.time()), seller=seller)


def sign_in(port: int, seller: str | None) -> str:
    """Sign in as a browser does, None as the marketplace; return the Cookie header."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = urlencode({"token": token("login", seller)})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/dashboard/login", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != http.client.SEE_OTHER:
        raise SystemExit(f"signing in: {answer.status}")
    return str(answer.getheader("Set-Cookie")).partition(";")[0]


def verdict(met: Mapping[str, bool]) -> int:
    """Print each target, met or missed; return the exit status."""
    for what, is_met in met.items():
        print(f"  {'met   ' if is_met else 'MISSED'}  {what}", flush=True)
    return 0 if all(met.values()) else 1
