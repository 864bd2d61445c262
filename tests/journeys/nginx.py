"""A real nginx before a Collector: Debian's configuration, its files in a directory of ours."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.journeys.asking import ask, eventually
from tests.journeys.processes import held_port

DEBIAN = Path("/etc/nginx/nginx.conf")
STOP_SECONDS = 20
SITE = """
server {{
    listen {listen}:{port};
    location / {{
        proxy_pass http://127.0.0.1:{backend};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
}}
"""


@contextmanager
def nginx(directory: Path, backend: int, listen: str = "127.0.0.1") -> Iterator[int]:
    """Run nginx before a port of this machine until the block ends; give its own port.

    What Debian configured stays, but for where files go and which sites there are.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program is not None, "nginx is missing: sudo apt-get install -y nginx"
    directory.mkdir()
    held = held_port(listen)
    port: int = held.getsockname()[1]
    site = directory / "site.conf"
    site.write_text(SITE.format(listen=listen, port=port, backend=backend))
    configuration = directory / "nginx.conf"
    configuration.write_text(moved(DEBIAN.read_text(), directory))
    command = [program, "-p", str(directory), "-c", str(configuration), "-e", "error.log"]
    started = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        eventually(lambda: answers(port, listen, started), "nginx")
        yield port
    finally:
        started.terminate()
        started.wait(STOP_SECONDS)
        held.close()


def answers(port: int, host: str, started: "subprocess.Popen[bytes]") -> bool:
    """Return whether nginx answers; it must not have ended."""
    assert started.poll() is None, "nginx ended"
    try:
        return ask(port, "GET", "/healthz", host=host).status == 200
    except OSError:
        return False


def moved(text: str, directory: Path) -> str:
    """Return Debian's configuration with all files below a directory, and only our site."""
    text = re.sub(r"^\s*user\s.*;", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*pid\s.*;", f"pid {directory}/nginx.pid;", text, flags=re.MULTILINE)
    text = text.replace("/var/log/nginx/", f"{directory}/")
    text = re.sub(r"include \S*(modules-enabled|conf\.d)\S*;", "", text)
    temporary = "".join(
        f"{name}_temp_path {directory}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return re.sub(
        r"include \S*sites-enabled\S*;", f"{temporary}include {directory}/site.conf;", text
    )
