"""The proxy snippets of docs/privacy.md: what they let a web server write down of a visit."""

import contextlib
import http.client
import http.server
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.processes import held_port

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
MARK = "Marked-Browser/7.31"
ADDRESS = "203.0.113.77"
SECONDS_MAX = 60


def snippet(name: str) -> str:
    """Return a tested snippet of the page."""
    found = re.search(rf"<!-- tested: {name} -->\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def ports() -> Iterator[Callable[[], int]]:
    """Ports that nobody else is given while the test runs; a proxy may listen on them."""
    with contextlib.ExitStack() as held:
        # Caddy listens on every address, so no client may have the port on any.
        yield lambda: int(held.enter_context(held_port("0.0.0.0")).getsockname()[1])


class _Upstream(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[int]:
    """A server in the collector's place; returns its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a proxy until the block ends; it answers when the block begins."""
    with (folder / "out").open("wb") as out:
        home = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, env=home)
        try:
            deadline = time.monotonic() + SECONDS_MAX
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert process.poll() is None, (folder / "out").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS_MAX)


def visit(port: int) -> int:
    """Send a marked visit and return the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
    headers = {
        "Host": f"stats.example.com:{port}",
        "User-Agent": MARK,
        "X-Forwarded-For": ADDRESS,
        "Referer": "https://ref.example/marked",
        "Cookie": "statistics_consent=marked",
    }
    connection.request("GET", "/pixel.gif?seller=s&ref=https://ref.example/marked", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def assert_nothing_of_a_visit(folder: Path) -> None:
    """Assert that no log of a folder says who came, and that one says that somebody did."""
    logged = "\n".join(path.read_text(errors="replace") for path in folder.glob("*.log"))
    assert "GET" in logged, "the visit itself was logged"
    for word in (MARK, ADDRESS, "127.0.0.1", "ref.example", "marked"):
        assert word not in logged, word


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_nginx_with_the_snippet_logs_no_visitor(
    tmp_path: Path, upstream: int, ports: Callable[[], int]
) -> None:
    """A visit through nginx, and one while the collector behind it is away, which nginx would
    write into its error log with the address."""
    port, dead = ports(), ports()
    server = snippet("nginx server").replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    server = server.replace("/var/log/nginx/collector.log", str(tmp_path / "access.log"))
    away = server.replace("location / {", "location /away/ {").replace(f":{upstream}", f":{dead}")
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/tmp-{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = (
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;"
        f" events {{}} http {{ {temporary} {snippet('nginx http')}"
        f" server {{ listen 127.0.0.1:{port}; {server} {away} }} }}"
    )
    (tmp_path / "nginx.conf").write_text(config)
    command = ["nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
    command += ["-e", str(tmp_path / "start.log")]
    with running(command, port, tmp_path):
        assert visit(port) == 200
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)
        connection.request("GET", "/away/", headers={"User-Agent": MARK})
        assert connection.getresponse().status == 502
        connection.close()
    assert_nothing_of_a_visit(tmp_path)


@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_caddy_with_the_snippet_logs_no_visitor(
    tmp_path: Path, upstream: int, ports: Callable[[], int]
) -> None:
    """The same through Caddy, whose log is told to leave the visitor out."""
    port = ports()
    log = tmp_path / "access.log"
    site = snippet("caddy").replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    site = site.replace("stats.example.com {", f"http://stats.example.com:{port} {{")
    site = site.replace("    log {\n", f"    log {{\n        output file {log}\n")
    (tmp_path / "Caddyfile").write_text(f"{{\n admin off\n}}\n{site}")
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")]
    with running(command, port, tmp_path):
        assert visit(port) == 200
    assert_nothing_of_a_visit(tmp_path)
