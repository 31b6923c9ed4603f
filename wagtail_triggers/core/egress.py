"""Where requests may go: which addresses are public, and what a URL must look like.

A shop's worker stands inside its network, where metadata services, databases and printers listen.
Whoever can choose a URL, or what a name resolves to, must not reach them through it. So a name is
resolved once, every address that it has is judged, and the connection goes to exactly one of those.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

from ..exceptions import TriggersError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL: Final = 2_048
#: Where HTTPS listens, officially and by custom. Anything else must be allowed by name or network.
PORTS: Final = frozenset({443, 8443})

#: IPv4 that is nobody's public address (IANA special-purpose registry), multicast and reserved.
_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
#: Global unicast is all that is public in IPv6. Outside of it lie loopback, link-local, unique
#: local, multicast, IPv4-mapped, IPv4-compatible and NAT64.
_PUBLIC_6: Final = IPv6Network("2000::/3")
#: Inside of it: protocol assignments with Teredo and ORCHID, documentation, 6to4.
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
#: A last label that a resolver may take for a number: "0x7f000001", "2130706433", "1".
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Forbidden(TriggersError):
    """This address may not be reached from here."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart once: what is judged is what is connected to."""

    scheme: str
    host: str
    port: int
    #: Path and query, as they are sent.
    path: str

    @property
    def netloc(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


class Policy:
    """What the setting `WAGTAIL_TRIGGERS_EGRESS_ALLOW` lets through beside the public internet.

    Args:
        allow: Names of hosts, addresses, and networks as "10.1.0.0/16".

    Raises:
        ValueError: An entry is none of these.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self.hosts: set[str] = set()
        self.networks: list[Network] = []
        for entry in allow:
            network = _network(entry)
            if network is not None:
                self.networks.append(network)
            elif _is_name(str(entry).lower()):
                self.hosts.add(entry.lower())
            else:
                raise ValueError(
                    f"{entry!r} is neither a host's name, nor an address, nor a network. "
                    'Write "erp.internal", "10.1.2.3" or "10.1.0.0/16".'
                )

    def permits(self, target: Target, addresses: Sequence[Address]) -> bool:
        """Say whether an entry lets this target through, whatever else is wrong with it."""
        if target.host in self.hosts:
            return True
        return bool(addresses) and all(
            any(one in network for network in self.networks) for one in addresses
        )

    def judge_form(self, target: Target) -> None:
        """Judge what no address could change, before anybody is asked for one.

        Raises:
            Forbidden: It may not be reached.
        """
        if target.host not in self.hosts and not self.networks:
            self._judge_form(target)

    def judge(self, target: Target, addresses: Sequence[Address]) -> None:
        """Judge where a target leads.

        One bad address among several is enough: whoever answers so wants us to choose it.

        Raises:
            Forbidden: It may not be reached.
        """
        if self.permits(target, addresses):
            return
        self._judge_form(target)
        bad = next((one for one in addresses if not is_public(one)), None)
        if bad is not None:
            raise Forbidden(
                f"{target.host} leads to {bad}, which is not a public address. If it is meant to, "
                "add the host or its network to WAGTAIL_TRIGGERS_EGRESS_ALLOW."
            )

    @staticmethod
    def _judge_form(target: Target) -> None:
        if target.scheme != "https":
            raise Forbidden(f"{target.host} is not asked over https. Use an https:// address.")
        if target.port not in PORTS:
            raise Forbidden(
                f"Port {target.port} of {target.host} is not one for https. Use 443 or 8443, or "
                "add the host to WAGTAIL_TRIGGERS_EGRESS_ALLOW."
            )


def is_public(address: Address) -> bool:
    """Say whether anybody on the internet could own this address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None or address not in _PUBLIC_6:
        return False
    return not any(address in network for network in _NOT_PUBLIC_6)


def parse(url: str) -> Target:
    """Take a URL apart; whatever two readers could read differently is refused.

    Raises:
        Forbidden: It is no plain http(s) URL.
    """
    if len(url) > MAX_URL or not _PRINTABLE.fullmatch(url):
        raise Forbidden(
            "The address is empty, too long, or holds spaces or letters outside ASCII. Write other "
            "letters percent-encoded, and a name in its xn-- form."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Forbidden(f"The address cannot be read: {error}.") from None
    if parts.scheme not in ("https", "http"):
        raise Forbidden("The address must begin with https://.")
    if "\\" in url or "@" in parts.netloc or "%" in parts.netloc or parts.netloc.endswith(":"):
        raise Forbidden("The address must not hold a user, a backslash or an encoded host.")
    if port == 0:
        raise Forbidden("The address names port 0. Leave the port out.")
    if "[" in parts.netloc and ":" not in host:
        raise Forbidden("The address holds brackets around what is no IPv6 address.")
    host = _host(host)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if not path.startswith("/"):
        raise Forbidden("The path of the address must begin with a slash.")
    return Target(parts.scheme, host, port or {"https": 443, "http": 80}[parts.scheme], path)


def _host(host: str) -> str:
    """The host, if it is a canonical address or a name that no resolver takes for a number."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    name = host.removesuffix(".")
    if not _is_name(name):
        raise Forbidden(f"{host!r} is not the name of a host.")
    return name


def _is_name(name: str) -> bool:
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return not _NUMERIC.fullmatch(labels[-1])


def _network(entry: str) -> Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def resolve(host: str, port: int, timeout: float) -> list[Address]:
    """Ask for the addresses of a host, once.

    Raises:
        OSError: There is no such name, or nobody answered in time.
    """
    try:
        return [ip_address(host)]
    except ValueError:
        pass
    found: list[Address] = []
    fault: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            fault.append(error)
        else:
            found.extend(dict.fromkeys(ip_address(str(row[4][0])) for row in rows))

    # The system's resolver knows no deadline of ours.
    asking = threading.Thread(target=ask, daemon=True, name="triggers-dns")
    asking.start()
    asking.join(timeout)
    if asking.is_alive():
        raise TimeoutError(f"Nobody told the address of {host} in time.")
    if fault or not found:
        raise OSError(f"{host} has no address: {fault[0] if fault else 'none was given'}.")
    return found
