"""The proxies of deploy/, really running, on a port of this machine and before two others."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.journeys.asking import ask, eventually
from tests.journeys.processes import held_port
from tests.tree import ROOT

DEPLOY = ROOT / "deploy"
STOP_SECONDS = 20
NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    {temporary}
    access_log {folder}/access.log;
    server {{
        listen 127.0.0.1:{port};
        {site}
        location /control/ {{ proxy_pass http://127.0.0.1:{dead}; }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, beacons: int, reports: int) -> Iterator[int]:
    """Run nginx with our file inside its server; /control/ is a location of the shop's own."""
    with held_port() as held, held_port() as nobody:
        port = held.getsockname()[1]
        site = _moved((DEPLOY / "nginx" / "collector.conf").read_text(), beacons, reports)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            NGINX.format(
                folder=folder,
                port=port,
                site=site,
                temporary=temporary,
                dead=nobody.getsockname()[1],
            )
        )
        command = ["-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "start.log"]
        with _running("nginx", command, folder, port, {}):
            yield port


@contextmanager
def caddy(folder: Path, beacons: int, reports: int) -> Iterator[int]:
    """Run Caddy with our file, without a certificate."""
    with held_port("0.0.0.0") as held:  # it listens on every address
        port = held.getsockname()[1]
        own = {
            "SHOP_ORIGIN": f"http://127.0.0.1:{port}",
            "BEACONS": f"127.0.0.1:{beacons}",
            "REPORTS": f"127.0.0.1:{reports}",
        }
        command = ["run", "--adapter", "caddyfile", "--config", str(DEPLOY / "caddy" / "Caddyfile")]
        with _running("caddy", command, folder, port, own):
            yield port


def written(folder: Path) -> str:
    """Return all that a proxy has written below its folder, but for its own configuration."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".conf"]
    return "\n".join(path.read_text("utf-8", "replace") for path in files)


def _moved(text: str, beacons: int, reports: int) -> str:
    text = re.sub(r"127\.0\.0\.1:8000", f"127.0.0.1:{beacons}", text)
    return re.sub(r"127\.0\.0\.1:8001", f"127.0.0.1:{reports}", text)


@contextmanager
def _running(
    name: str, arguments: list[str], folder: Path, port: int, own: dict[str, str]
) -> Iterator[None]:
    program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert program is not None, f"{name}: `make test` installs it"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)} | own
    with (folder / "output.txt").open("ab") as output:
        started = subprocess.Popen(
            [program, *arguments], stdout=output, stderr=output, cwd=folder, env=environment
        )
    try:
        eventually(partial(_answers, port, started), f"{name}: {written(folder)}")
        yield
    finally:
        started.terminate()
        started.wait(STOP_SECONDS)


def _answers(port: int, started: "subprocess.Popen[bytes]") -> bool:
    assert started.poll() is None, "the proxy ended"
    try:
        return ask(port, "GET", "/stats/healthz").status == 200
    except OSError:
        return False
