"""A publisher of databases: a real HTTP server on loopback that can be made to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What a path answers. `announced` is a Content-Length that lies."""

    content: bytes = b""
    status: int = 200
    location: str | None = None
    announced: int | None = None


@dataclass
class Publisher:
    """Paths with what they answer, and who asked for them with which Authorization."""

    url: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    needs: str | None = None

    def offer(self, path: str, content: bytes) -> str:
        """Serve content at a path; return its address."""
        self.replies[path] = Reply(content)
        return self.url + path


@contextmanager
def publishing() -> Iterator[Publisher]:
    """Serve until the block ends."""
    listening: list[Publisher] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher = listening[0]
            authorization = self.headers.get("Authorization")
            publisher.asked.append((self.path, authorization))
            reply = publisher.replies.get(self.path, Reply(status=404))
            if publisher.needs is not None and authorization != publisher.needs:
                reply = Reply(status=401)
            self.send_response(reply.status)
            if reply.location is not None:
                self.send_header("Location", reply.location)
            length = len(reply.content) if reply.announced is None else reply.announced
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(reply.content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.append(Publisher(f"http://127.0.0.1:{server.server_port}"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield listening[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
