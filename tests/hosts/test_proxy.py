"""The proxy does to connections what it is told to, byte by byte, and nothing else."""

from __future__ import annotations

import math
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.system.place import until

from .lab import Lab
from .link import Cut
from .proxy import Proxy, cuts_of

PATIENCE_S = 60.0


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets, and closes when it has heard all."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(client: socket.socket) -> None:
            try:
                with client:
                    while data := client.recv(65536):
                        client.sendall(data)
            except OSError:
                pass

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as made:
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with reach(proxy) as made:
        yield made


def reach(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_S)


def said_back(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return exactly(client, len(data))


def exactly(client: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length and (more := client.recv(length - len(found))):
        found += more
    return found


def test_it_forwards_both_ways_and_passes_on_that_all_was_said(proxy: Proxy, client: socket.socket) -> None:
    data = bytes(range(256)) * 2_000
    threading.Thread(target=client.sendall, args=(data,)).start()
    assert exactly(client, len(data)) == data
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    until(lambda: proxy.open_count == 0, "the connection is over")
    assert proxy.taken_count == 1


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("after_bytes", [0, 1, 1_000, 40_000])
def test_a_cut_lets_through_so_many_bytes_down_and_no_more(echo: int, after_bytes: int, *, reset: bool) -> None:
    found, ended = b"", "reset"
    with (
        Proxy(echo, lambda _: Cut("down", after_bytes, reset)) as proxy,
        suppress(ConnectionError),
        reach(proxy) as client,
    ):
        client.sendall(bytes(50_000))
        while more := client.recv(65536):
            found += more
        ended = "closed"
    assert len(found) <= after_bytes
    # A reset may overtake what was sent before it.
    assert ended == "reset" or (len(found) == after_bytes and not reset)


def test_a_cut_upwards_lets_the_server_see_so_many_bytes_and_spares_other_connections() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Proxy(server.getsockname()[1], lambda number: Cut("up", 10) if number == 0 else None) as proxy,
    ):
        server.settimeout(PATIENCE_S)
        for expected in (10, 50):
            with reach(proxy) as client, server.accept()[0] as answering:
                client.sendall(bytes(50))
                assert exactly(answering, expected) == bytes(expected)
                if expected == 10:
                    assert answering.recv(1) == b""


def test_a_seed_cuts_the_same_connections_at_the_same_bytes() -> None:
    cuts = [cuts_of(7, 10_000)(number) for number in range(200)]
    assert cuts == [cuts_of(7, 10_000)(number) for number in range(200)]
    assert cuts != [cuts_of(8, 10_000)(number) for number in range(200)]
    assert {cut.direction for cut in cuts} == {"up", "down"}
    assert all(1 <= cut.after_bytes <= 10_000 for cut in cuts)
    assert 70 < sum(cut.after_bytes < 100 for cut in cuts) < 130


def test_a_delay_holds_back_each_byte_and_not_the_stream(proxy: Proxy, client: socket.socket) -> None:
    proxy.delay(0.1)
    began = time.monotonic()
    for _ in range(20):
        client.sendall(bytes(1_000))
    assert exactly(client, 20_000) == bytes(20_000)
    # Up and down, once each: twenty messages are under way together.
    assert 0.2 <= time.monotonic() - began < 2.0


def test_a_throttle_lets_so_many_bytes_through_in_a_second(proxy: Proxy, client: socket.socket) -> None:
    proxy.throttle(100_000)
    began = time.monotonic()
    assert said_back(client, bytes(30_000)) == bytes(30_000)
    assert time.monotonic() - began >= 0.25
    proxy.throttle(math.inf)
    assert said_back(client, bytes(50_000)) == bytes(50_000)


def test_in_silence_connections_stay_and_nothing_comes_through_until_it_speaks(
    proxy: Proxy, client: socket.socket
) -> None:
    assert said_back(client, b"before") == b"before"
    proxy.fall_silent()
    with reach(proxy) as late:
        for each in (client, late):
            each.sendall(b"hello?")
        assert select.select([client, late], [], [], 0.2) == ([], [], [])
        proxy.speak()
        assert exactly(client, 6) == exactly(late, 6) == b"hello?"


def test_cut_and_reset_end_what_is_open_and_new_connections_work(proxy: Proxy, client: socket.socket) -> None:
    assert said_back(client, b"before") == b"before"
    proxy.cut()
    assert client.recv(1) == b""
    with reach(proxy) as second:
        assert said_back(second, b"again") == b"again"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            second.recv(1)
    with reach(proxy) as third:
        assert said_back(third, b"again") == b"again"


def test_refusing_leaves_open_connections_alone(proxy: Proxy, client: socket.socket) -> None:
    assert said_back(client, b"before") == b"before"
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        reach(proxy)
    assert said_back(client, b"still") == b"still"
    proxy.accept()
    with reach(proxy) as second:
        assert said_back(second, b"again") == b"again"


def test_where_nobody_listens_the_client_is_reset(echo: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = int(gone.getsockname()[1])
    # The reset may come while the client still looks at what it has got.
    with Proxy(port) as proxy, pytest.raises(ConnectionResetError), reach(proxy) as client:
        client.recv(1)


def test_a_host_is_reached_through_it_and_not_while_it_is_silent(lab: Lab) -> None:
    host = lab.host("one")
    with Proxy(host.port) as proxy:
        lab.route(host, proxy.port)
        assert lab.ssh("one", "echo through").stdout == "through\n"
        assert proxy.taken_count == 1
        proxy.fall_silent()
        assert "timed out" in lab.ssh("one", "true", ConnectTimeout=1).stderr
