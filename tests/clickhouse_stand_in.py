"""Stands in for a ClickHouse server: its HTTP interface over chDB, with faults on demand.

`python -m tests.clickhouse_stand_in FOLDER PORT` prints its port. `POST /fault?do=…` arms one fault
for the next insert of hits; `POST /release` lets a late one run and says so when it has ended.

drop-before  the connection ends and nothing was done
drop-after   everything was done, and the connection ends without an answer
half         the same, in the middle of the answer
late         the connection ends; the insert runs when it is released
slow         the insert begins, and takes three seconds
error        the server refuses
"""

import json
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import chdb

INSERT_OF_HITS = re.compile(r"insert\s+into\s+hits\b", re.IGNORECASE)
INPUT = re.compile(r"from\s+input\('", re.IGNORECASE)
connect: Callable[[str], Any] = chdb.connect
FORM = "TabSeparated"  # where a statement names no other
DATA_FORMAT = re.compile(r"\bformat\s+(\w+)\s*$", re.IGNORECASE)


class StandIn(ThreadingHTTPServer):
    """One engine; a connection to it for each request, so that requests don't wait for others."""

    daemon_threads = True

    def __init__(self, folder: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.folder = folder
        self.kept = connect(folder)  # the engine lives as long as one is open
        names = self.kept.query("select name from system.settings", FORM).bytes()
        self.known = set(names.decode().split())
        self.fault = ""
        self.released = threading.Event()
        self.late: threading.Thread | None = None

    def execute(self, asked: "Asked") -> bytes:
        """Run a statement, with data for an insert, and return the answer's bytes."""
        connection = connect(self.folder)
        try:
            for name, value in asked.settings(self.known).items():
                connection.query(f"set {name} = '{value}'")
            query = asked.query
            if asked.data and (found := DATA_FORMAT.search(query)):
                with tempfile.NamedTemporaryFile() as file:
                    file.write(asked.data)
                    file.flush()
                    query = with_file(query, file.name, found[1])
                    return bytes(connection.query(query, FORM, params=asked.values).bytes())
            return bytes(connection.query(query, FORM, params=asked.values).bytes())
        finally:
            connection.close()


@dataclass
class Asked:
    """A statement, the data of an insert, and what stood in the address."""

    query: str
    data: bytes
    address: dict[str, str]

    @property
    def values(self) -> dict[str, Any]:
        """The statement's parameters."""
        return {name[6:]: value for name, value in self.address.items() if name[:6] == "param_"}

    def settings(self, known: set[str]) -> dict[str, str]:
        """Return what a server would set for this statement only."""
        return {name: value for name, value in self.address.items() if name in known}


def with_file(query: str, path: str, form: str) -> str:
    """Return an insert that reads its data from a file; chDB has no body to read it from."""
    if INPUT.search(query):
        query = DATA_FORMAT.sub("", query)
        return INPUT.sub(f"from file('{path}', '{form}', '", query)
    return DATA_FORMAT.sub(f"from infile '{path}' format {form}", query)


class Request(BaseHTTPRequestHandler):
    """What the driver sends."""

    protocol_version = "HTTP/1.1"
    server: StandIn

    def do_GET(self) -> None:
        """Answer /ping, and queries in the address."""
        self.do_POST()

    def do_POST(self) -> None:
        """Answer a statement, as the armed fault will have it."""
        address = urlsplit(self.path)
        said = parse_qs(address.query, keep_blank_values=True)
        asked = {name: values[-1] for name, values in said.items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if address.path == "/fault":
            self.server.fault = asked["do"]
            return self.answer(200, b"")
        if address.path == "/release":
            return self.release()
        if address.path == "/ping":
            return self.answer(200, b"Ok.\n")
        if "query" in asked:
            statement = Asked(asked["query"], body, asked)
        else:
            statement = Asked(body.decode(), b"", asked)
        fault = ""
        if INSERT_OF_HITS.search(statement.query):
            fault, self.server.fault = self.server.fault, ""
        return self.run(fault, statement)

    def run(self, fault: str, asked: Asked) -> None:
        """Execute a statement and answer, or not."""
        server = self.server
        if fault == "slow":
            asked.query = asked.query.replace("  and {attempt", "  and sleep(3) = 0 and {attempt")
        if fault == "drop-before":
            return self.hang_up()
        if fault == "error":
            return self.answer(500, b"Code: 241. DB::Exception: hash 12345", code=241)
        if fault == "late":

            def execute() -> None:
                server.released.wait()
                server.execute(asked)

            server.late = threading.Thread(target=execute)
            server.late.start()
            return self.hang_up()
        try:
            found = server.execute(asked)
        except Exception as error:
            code = re.search(r"Code: (\d+)", str(error))
            return self.answer(500, str(error).encode(), code=int(code[1]) if code else 1)
        if fault == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Len")
        return self.hang_up() if fault in ("half", "drop-after") else self.answer(200, found)

    def release(self) -> None:
        """Let a late insert run, and answer when it has."""
        self.server.released.set()
        if self.server.late is not None:
            self.server.late.join()
        self.answer(200, b"")

    def hang_up(self) -> None:
        """End the connection without a word."""
        self.close_connection = True

    def answer(self, status: int, body: bytes, code: int = 0) -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Summary", json.dumps({}))
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    with StandIn(sys.argv[1], int(sys.argv[2])) as standing:
        sys.stdout.write(f"{standing.server_port}\n")
        sys.stdout.flush()
        standing.serve_forever()
