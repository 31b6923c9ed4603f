"""Nobody reaches what is not public: a table of hostile addresses against a trap that counts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.unit.core.trap import Trap, trap
from wagtail_triggers.core import egress
from wagtail_triggers.core.egress import Forbidden, Policy, parse
from wagtail_triggers.core.http import Fate, request

#: Hosts that are, or lead to, something that is not public. The trap's port is put behind each,
#: and the ports and plain http are let through: nothing but the host itself must stop them.
HOSTILE_HOSTS = [
    # The loopback and "this network", in every notation that some resolver takes.
    "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "localhost", "localhost.",
    "LOCALHOST", "0.0.0.0", "0",  # noqa: S104
     "0.1.2.3", "127.1", "127.0.1", "2130706433", "0x7f000001",
    "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.01", "127.0.0.1.",
    "127.000.000.001", "00000177.0.0.1", "4294967295",
    # Private, shared, link-local with the metadata services, benchmarks, documentation.
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.254",
    "100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.170.2", "192.0.0.192",
    "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "192.88.99.1",
    # Multicast, reserved, broadcast.
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    # IPv6: loopback, unspecified, mapped, compatible, NAT64, 6to4, Teredo, unique local,
    # link-local, site-local, multicast, documentation, the metadata service of AWS.
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]", "[2001:10::1]", "[2001:db8::1]", "[3fff::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[ff02::1]", "[100::1]",
    "[5f00::1]",
    # Names that say what they lead to.
    "127.0.0.1.nip.io", "metadata.internal", "rebind.example", "mixed.example", "six.example",
    "mapped.example",
    # What two readers read differently.
    "user@127.0.0.1", "example.com@127.0.0.1", "127.0.0.1%2f@example.com", "127.0.0.1%00.example",
    "example.com\\@127.0.0.1", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021",
    "\u24db" "ocalhost", "local\thost",
    "127.0.0.1\r\nHost: example.com", " 127.0.0.1", "-bad.example", "bad..example", "a b.example",
    "[::1", "[127.0.0.1]", "[v1.fe80]", "",
]  # fmt: skip

#: What a resolver answers for names. The first answer of each call, then the next.
ANSWERS = {
    "localhost": [["127.0.0.1"]],
    "127.0.0.1.nip.io": [["127.0.0.1"]],
    "metadata.internal": [["169.254.169.254"]],
    # Public when it is looked at, ours when it is connected to: asked once, it stays public.
    "rebind.example": [["127.0.0.1"], ["93.184.216.34"]],
    "mixed.example": [["93.184.216.34", "127.0.0.1"]],
    "six.example": [["::1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
}

Row = tuple[int, int, int, str, tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver of our own; addresses in any notation go to the system's, which needs no net."""
    turns: dict[str, int] = {}
    system = socket.getaddrinfo

    def answer(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        rounds = ANSWERS.get(host)
        if rounds is None:
            kwargs["flags"] = socket.AI_NUMERICHOST
            return list(system(host, port, *args, **kwargs))
        turn = turns.get(host, 0)
        turns[host] = turn + 1
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port))
            for one in rounds[min(turn, len(rounds) - 1)]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture
def sprung(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    """A trap whose port counts as one for https."""
    with trap() as seen:
        monkeypatch.setattr(egress, "PORTS", frozenset({seen.port}))
        yield seen


def test_table_of_hostile_hosts_is_as_long_as_it_should_be() -> None:
    assert len(set(HOSTILE_HOSTS)) == len(HOSTILE_HOSTS) >= 60


def test_no_hostile_host_is_connected_to(sprung: Trap) -> None:
    replies = {
        f"{scheme}://{host}:{sprung.port}/x": request(
            "POST", f"{scheme}://{host}:{sprung.port}/x", body=b"secret", total=2
        )
        for host in HOSTILE_HOSTS
        for scheme in ("https", "http")
    }
    accepted = {url: one for url, one in replies.items() if one.fate is not Fate.REFUSED}
    assert accepted == {}
    assert all(one.detail for one in replies.values())
    assert sprung.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:70/", "javascript:alert(1)",
        "//example.com/", "example.com", "https:/example.com", "https:example.com", "https://",
        "https://example.com:0/", "https://example.com:/", "https://example.com:99999/",
        "https://example.com:x/", "https://example.com:22/", "https://example.com:6379/",
        "http://example.com/", "https://example.com/" + "a" * 2048, "https://exa mple.com/",
        "https://example.com/\n", "data:text/html,x", "unix:/var/run/docker.sock", "dict://x:11211/",
        "https://2852039166/", "https://0xa9fea9fe/",
    ],
)  # fmt: skip
def test_url_of_another_kind_is_refused_before_anybody_is_asked(url: str) -> None:
    assert request("POST", url).fate is Fate.REFUSED


def test_allowed_host_is_connected_to_so_the_trap_does_count(settings: Settings) -> None:
    with trap() as seen:
        url = f"http://127.0.0.1:{seen.port}/x"
        settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["127.0.0.0/8"]
        assert request("POST", url, body=b"secret").fate is Fate.ACCEPTED
        assert seen.connections == 1
        settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["10.0.0.0/8", "erp.internal"]
        assert request("POST", url, body=b"secret").fate is Fate.REFUSED
        assert seen.connections == 1


def test_name_is_resolved_once_and_that_address_is_connected_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trap() as seen:
        asked: list[str] = []
        answer = socket.getaddrinfo

        def asking(host: str, *args: Any, **kwargs: Any) -> Any:
            asked.append(host)
            return answer(host, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", asking)
        settings.WAGTAIL_TRIGGERS_EGRESS_ALLOW = ["rebind.example"]
        reply = request("POST", f"http://rebind.example:{seen.port}/x")
        assert reply.fate is Fate.ACCEPTED
        # Connecting asks about the address alone.
        assert [one for one in asked if one != "127.0.0.1"] == ["rebind.example"]
        assert f"Host: rebind.example:{seen.port}".encode() in seen.requests[0]


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
     "2606:2800:220:1:248:1893:25c8:1946", "2a00::1", "2001:4860:4860::8888"],
)  # fmt: skip
def test_public_address_is_let_through(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    target = parse(f"https://{host}/a?b=c#d")
    Policy().judge(target, egress.resolve(target.host, 443, 1))
    assert (target.path, target.port) == ("/a?b=c", 443)


def test_policy_entry_that_is_no_host_and_no_network_is_refused() -> None:
    for entry in ("https://erp.internal", "10.0.0.0/33", "a b", "", "*.internal"):
        with pytest.raises(ValueError, match="neither a host"):
            Policy([entry])


def test_allowed_network_does_not_open_a_name_that_also_leads_elsewhere() -> None:
    rules = Policy(["127.0.0.0/8"])
    target = parse("https://mixed.example/")
    with pytest.raises(Forbidden, match=r"127\.0\.0\.1|93"):
        Policy().judge(target, egress.resolve("mixed.example", 443, 1))
    with pytest.raises(Forbidden):
        rules.judge(target, egress.resolve("mixed.example", 443, 1))
