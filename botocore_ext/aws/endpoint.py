"""The URLs of credential endpoints, and the hosts that may get a request.

https is allowed to any host: the certificate is the check. http is allowed only to addresses of
this machine and of the ECS and EKS agents. The address that is checked is the one that is connected
to: a URL is parsed once, and every request is built from the checked parts.
"""

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

_LOOPBACK = IPv4Network("127.0.0.0/8")
_AGENTS = {
    IPv6Address("::1"),
    IPv4Address("169.254.170.2"),  # ECS
    IPv4Address("169.254.170.23"),  # EKS
    IPv6Address("fd00:ec2::23"),  # EKS
}
_ALLOWED = "127.0.0.0/8, ::1, 169.254.170.2, 169.254.170.23 and fd00:ec2::23"
#: Labels of up to 63 characters: Python cannot resolve longer ones.
_NAME = r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?"
_PORTS = {"https": 443, "http": 80}


class EndpointError(Exception):
    """A request without a usable answer. The text shows nothing that the endpoint sent."""

    def __init__(self, reason: str, *, retry: bool = True) -> None:
        """Take the reason, which completes "<host> ...", and whether a retry may help."""
        super().__init__(reason)
        self.retry = retry


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address in an unambiguous spelling."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_allowed(address: str) -> bool:
    """Whether plain http is allowed to ``address``."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return ip in _AGENTS or (isinstance(ip, IPv4Address) and ip in _LOOPBACK)


def is_local(host: str) -> bool:
    """Whether ``host`` is this machine, its agents, or on this link: no proxy is used for it."""
    if not is_address(host):
        return host == "localhost"
    return is_allowed(host) or ip_address(host).is_link_local


class Endpoint:
    """A URL whose parts have all been checked. Its ``repr`` shows none: a path may be a secret."""

    def __init__(self, scheme: str, host: str, port: int, target: str) -> None:
        self.scheme, self.host, self.port, self.target = scheme, host, port, target

    @classmethod
    def parse(cls, uri: object) -> "Endpoint":
        """Parse and check a URL.

        Raises:
            ValueError: The URL is malformed or not allowed. The text shows at most the host.
        """
        text = str(uri)
        if not (text and text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("contains white space or a character beyond ASCII (percent-encode it)")
        parts, host, port = _split(text)
        if not host or parts.scheme not in _PORTS:
            raise ValueError("is not a URL that begins with https:// or http:// and a host")
        if "@" in parts.netloc:
            raise ValueError("contains a user name or password, which is never sent")
        # urlsplit reads [a.name] as a.name, and drops what is around brackets.
        expected = re.escape(_in_brackets(host)) + "(:[0-9]*)?"
        is_whole = re.fullmatch(expected, parts.netloc, re.IGNORECASE) is not None
        if not is_whole or not (is_address(host) or re.fullmatch(_NAME, host, re.IGNORECASE)):
            raise ValueError("names a host that is neither an address nor a DNS name")
        if parts.scheme == "http" and is_address(host) and not is_allowed(host):
            raise ValueError(f"names the host {host} (plain http is allowed only to {_ALLOWED})")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, target)

    @property
    def authority(self) -> str:
        """Host and port as in the ``Host`` header; errors name the endpoint by it."""
        host = _in_brackets(self.host)
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def url(self, address: str) -> str:
        """Return the URL with ``address`` instead of the host."""
        return f"{self.scheme}://{_in_brackets(address)}:{self.port}{self.target}"

    def addresses(self) -> list[str]:
        """Return the addresses to connect to: the host, or for http all addresses of its name.

        Raises:
            EndpointError: The name cannot be resolved, or one of its addresses is not allowed.
        """
        if self.scheme == "https" or is_address(self.host):
            return [self.host]
        try:
            infos = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError:
            raise EndpointError("cannot be resolved: check the name") from None
        addresses = [str(info[4][0]) for info in infos]
        for address in addresses:
            if not is_allowed(address):
                raise EndpointError(
                    f"resolves to {address}: plain http is allowed only to {_ALLOWED}; use https",
                    retry=False,
                )
        return list(dict.fromkeys(addresses))


def _split(text: str) -> tuple[SplitResult, str, int | None]:
    """Return the parts, host and port of a URL; empty ones if it cannot be split."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # a port that is not a number, a bracket that is not closed
        return urlsplit(""), "", None
    return parts, parts.hostname or "", port


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
