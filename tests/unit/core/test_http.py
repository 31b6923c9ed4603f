"""The one client for outbound requests: what is known after each way in which one can end."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.unit.core.trap import answering, trap
from wagtail_triggers.core import http
from wagtail_triggers.core.http import Fate, Reply, request, retry_after
from wagtail_triggers.exceptions import ConfigurationError


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.0/8", "erp.example"]


def post(port: int, total: float = http.TOTAL_SECONDS) -> Reply:
    return request("POST", f"http://127.0.0.1:{port}/x", body=b'{"a":1}', total=total)


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ("200 OK", Fate.ACCEPTED), ("202 Accepted", Fate.ACCEPTED), ("299 x", Fate.ACCEPTED),
        ("301 Moved", Fate.REFUSED), ("400 Bad", Fate.REFUSED), ("403 No", Fate.REFUSED),
        ("404 Not Found", Fate.REFUSED), ("410 Gone", Fate.REFUSED), ("422 x", Fate.REFUSED),
        ("401 Who", Fate.NEVER_LEFT), ("408 Slow", Fate.NEVER_LEFT), ("425 x", Fate.NEVER_LEFT),
        ("429 Many", Fate.NEVER_LEFT), ("409 Conflict", Fate.AMBIGUOUS),
        ("500 Oops", Fate.AMBIGUOUS), ("502 x", Fate.AMBIGUOUS), ("503 x", Fate.AMBIGUOUS),
        ("504 x", Fate.AMBIGUOUS),
    ],
)  # fmt: skip
def test_answer_with_a_status_says_what_became_of_the_request(status: str, fate: Fate) -> None:
    with trap(answering(status, b"because")) as seen:
        reply = post(seen.port)
    assert (reply.fate, reply.status, reply.body) == (fate, int(status[:3]), b"because")
    assert seen.connections == 1


def test_answer_503_with_retry_after_never_left_and_says_when() -> None:
    with trap(answering("503 Busy", Retry_After="17")) as seen:
        reply = post(seen.port)
    assert (reply.fate, reply.retry_after) == (Fate.NEVER_LEFT, 17.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "9999999"}, 86_400.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
        ({"retry-after": "Fri, 01 May 2026 12:01:00 GMT", "date": "Fri, 01 May 2026 12:00:00 GMT"},
         60.0),
        ({"retry-after": "Fri, 01 May 2026 12:01:00 GMT"}, None),
    ],
)  # fmt: skip
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_request_carries_what_it_was_given_and_nothing_of_a_browser() -> None:
    with trap() as seen:
        request(
            "POST", f"http://127.0.0.1:{seen.port}/a?b=%20c", body=b"x", headers={"X-Mine": "1"}
        )
    head, _gap, body = seen.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a?b=%20c HTTP/1.1"
    names = {row.split(":")[0].lower(): row.split(": ")[1] for row in lines[1:]}
    assert names["host"] == f"127.0.0.1:{seen.port}"
    assert (names["x-mine"], names["connection"]) == ("1", "close")
    assert "cookie" not in names
    assert body == b"x"


def test_nobody_listens_never_left() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert post(port).fate is Fate.NEVER_LEFT


def test_name_that_does_not_exist_never_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    reply = request("POST", "https://nobody.example/")
    assert reply.fate is Fate.NEVER_LEFT
    assert "nobody.example has no address" in reply.detail


def test_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*args: object, **kwargs: object) -> None:
        time.sleep(1.5)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    began = time.monotonic()
    assert request("POST", "https://slow.example/", total=0.3).fate is Fate.NEVER_LEFT
    assert time.monotonic() - began < 1.4


def test_connection_that_breaks_before_the_answer_is_ambiguous() -> None:
    def hangs_up(data: bytes, connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    with trap(hangs_up) as seen:
        assert post(seen.port).fate is Fate.AMBIGUOUS
    assert len(seen.requests) == 1


def test_no_answer_in_time_is_ambiguous_and_ends_in_time() -> None:
    def waits(data: bytes, connection: socket.socket) -> None:
        time.sleep(3)

    with trap(waits) as seen:
        began = time.monotonic()
        reply = post(seen.port, total=0.4)
        assert reply.fate is Fate.AMBIGUOUS
        assert time.monotonic() - began < 2


def test_answer_that_drips_is_cut_at_the_end_of_the_time() -> None:
    """Each read succeeds in time; only the whole takes too long."""

    def drips(data: bytes, connection: socket.socket) -> None:
        for one in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200:
            connection.sendall(bytes([one]))
            time.sleep(0.05)

    with trap(drips) as seen:
        began = time.monotonic()
        reply = post(seen.port, total=0.6)
        assert time.monotonic() - began < 2
    assert reply.fate is Fate.AMBIGUOUS
    assert reply.detail == "No answer of 127.0.0.1 within 1 s."


def test_answer_that_never_ends_is_read_to_its_bound_and_believed() -> None:
    def floods(data: bytes, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n")
        for _round in range(200):
            connection.sendall(b"x" * 65_536)

    with trap(floods) as seen:
        reply = post(seen.port)
    assert reply.fate is Fate.ACCEPTED
    assert len(reply.body) == http.MAX_RESPONSE
    assert len(reply.detail) <= len("HTTP 200 ") + http.SHOWN


def test_compressed_answer_is_not_unpacked() -> None:
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)
    with trap(answering("200 OK", bomb, Content_Encoding="gzip")) as seen:
        assert post(seen.port).body == bomb[: http.MAX_RESPONSE]


def test_redirect_is_not_followed() -> None:
    with trap() as inner:
        where = f"http://127.0.0.1:{inner.port}/"
        with trap(answering("307 Elsewhere", Location=where)) as outer:
            reply = post(outer.port)
        assert (reply.fate, reply.status) == (Fate.REFUSED, 307)
        assert "redirects are not followed" in reply.detail
        assert inner.connections == 0


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with trap() as proxy, trap() as seen:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(seen.port).fate is Fate.ACCEPTED
        assert (proxy.connections, seen.connections) == (0, 1)


def test_request_that_is_too_large_is_refused_before_it_leaves() -> None:
    with trap() as seen:
        url = f"http://127.0.0.1:{seen.port}/"
        assert request("POST", url, body=b"x" * (http.MAX_REQUEST + 1)).fate is Fate.REFUSED
        assert seen.connections == 0


def test_setting_that_is_wrong_raises_and_names_the_setting(settings: Settings) -> None:
    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["https://x"]
    with pytest.raises(ConfigurationError, match="WAGTAIL_TRIGGERS_EGRESS_ALLOW"):
        request("POST", "https://example.com/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of erp.example that it signed itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req",  # noqa: S607 - whichever comes first on the path
          "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-keyout", "key.pem", "-out", "cert.pem", "-subj",
         "/CN=erp.example", "-addext", "subjectAltName=DNS:erp.example"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    """A server that speaks TLS on the loopback, one connection after the other."""
    import threading

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    raw, _peer = listener.accept()
                    raw.settimeout(3)
                    with context.wrap_socket(raw, server_side=True) as connection:
                        asked = b""
                        # All of it: closing on what is unread would take the answer away.
                        while not asked.endswith(b"\r\n\r\nx"):
                            asked += connection.recv(65_536) or b"\r\n\r\nx"
                        connection.sendall(b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n")
                except OSError:  # a client that did not like the certificate, or nobody yet
                    continue

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield listener.getsockname()[1]
        over.set()
        serving.join(5)


@pytest.mark.parametrize(
    ("host", "trusted", "fate"),
    [
        ("erp.example", True, Fate.ACCEPTED),
        ("erp.example", False, Fate.NEVER_LEFT),
        ("other.example", True, Fate.NEVER_LEFT),
    ],
)
def test_certificate_is_checked_for_the_name_although_an_address_is_connected_to(
    tls_port: int,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    host: str,
    trusted: bool,
    fate: Fate,
) -> None:
    settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = [host]
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    http.ssl_context.cache_clear()
    answer = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda name, port, *args, **kwargs: answer("127.0.0.1", port, *args, **kwargs),
    )
    try:
        reply = request("POST", f"https://{host}:{tls_port}/", body=b"x")
    finally:
        http.ssl_context.cache_clear()
    assert reply.fate is fate
    assert ("CERTIFICATE" in reply.detail.upper()) is (fate is not Fate.ACCEPTED)
