"""The operator's side of the socket: a sentence, also where the other side breaks off."""

import os
import socket
import threading
from pathlib import Path

import click
import pytest

from collector.operator.client import SOCKET_NAME, ask, short_path
from collector.settings import read


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nCoun"],
    ids=["nothing", "half a line", "half a body"],
)
def test_an_answer_that_breaks_off_is_told_in_a_sentence(
    tmp_path: Path, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reports process ends while it answers, as at a stop or a restart."""
    monkeypatch.setenv("COLLECTOR_DATA_DIR", str(tmp_path))
    settings, _ = read(os.environ)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with short_path(tmp_path / SOCKET_NAME) as short:
            listener.bind(short)
        listener.listen()

        def break_off() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(said)

        thread = threading.Thread(target=break_off, daemon=True)
        thread.start()
        with pytest.raises(click.ClickException, match=r"^The reports process didn't answer \("):
            ask(settings, "/status")
        thread.join()
