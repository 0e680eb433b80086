"""Which URLs may be asked for credentials, written down once more and by other means.

``specified`` is rule and test: https to any host; http to a few addresses, or to a name of which
every address is one of these. It reads a URL by one expression of RFC 3986, not by ``urlsplit``.
"""

import re
import socket
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address
from urllib.parse import unquote

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from botocore_ext.aws.endpoint import Endpoint, EndpointError
from botocore_ext.aws.http import Timeouts, request
from botocore_ext.options.types import full_uri, relative_uri

from . import CHARACTERS, examples, words

_ALLOWED_FOUR = [IPv4Address("169.254.170.2"), IPv4Address("169.254.170.23")]
_ALLOWED_SIX = [IPv6Address("::1"), IPv6Address("fd00:ec2::23")]

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(\[(?P<six>[0-9a-f:.]+(%[^\[\]/?#@%]+)?)\]|(?P<name>[a-z0-9_.-]+))"
    r"(:(?P<port>[0-9]*))?"
    r"(?P<path>(/[!-~]*)?)",
    re.IGNORECASE,
)


def is_allowed(text):
    """Whether http may go to the address that a resolver gives, as a text without a zone."""
    try:
        four = IPv4Address(text)
    except AddressValueError:
        pass
    else:
        return four in IPv4Network("127.0.0.0/8") or four in _ALLOWED_FOUR
    try:
        return IPv6Address(text) in _ALLOWED_SIX
    except AddressValueError:
        return False


def is_name(text):
    """Whether it is a DNS name: labels of 1 to 63 characters, with or without the last dot."""
    labels = text.removesuffix(".").split(".")
    return all(0 < len(label) < 64 for label in labels) and not text.startswith("-")


def is_four(text):
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def specified(uri, resolve):
    """Say where a request may go, and for what; None: nowhere."""
    path_and_rest = re.fullmatch(r"([!-~]*?)([?][!-~]*?)?(#[!-~]*)?", uri)
    found = _URL.fullmatch(path_and_rest[1]) if path_and_rest else None
    if found is None or int(found["port"] or 0) > 65535:
        return None
    is_https = found["scheme"].lower() == "https"
    port = int(found["port"]) if found["port"] else {True: 443, False: 80}[is_https]
    query = path_and_rest[2] if (path_and_rest[2] or "?") != "?" else ""
    addresses = _where(found, resolve, is_https=is_https)
    return addresses and (addresses, port, (found["path"] or "/") + query)


def _where(found, resolve, *, is_https):
    six, name = found["six"], found["name"]
    if six is not None:
        try:
            IPv6Address(six)
        except AddressValueError:
            return None
        return [six.lower()] if is_https or is_allowed(six) else None
    if is_four(name):
        return [name] if is_https or is_allowed(name) else None
    if not is_name(name):
        return None
    if is_https:
        return [name.lower()]
    addresses = resolve(name.lower())
    return list(dict.fromkeys(addresses)) if all(map(is_allowed, addresses)) else None


def outcome(uri):
    """Say the same of the package."""
    try:
        endpoint = Endpoint.parse(uri)
    except ValueError:
        return None
    try:
        addresses = endpoint.addresses()
    except EndpointError:
        return None
    return addresses, endpoint.port, endpoint.target


class Resolver:
    """Resolves numbers as every libc does, and names to what the test wants."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, name):
        try:
            return [str(IPv4Address(socket.inet_aton(name)))]
        except OSError:
            return self.answer

    def getaddrinfo(self, host, port, **_):
        host.encode("idna")  # as the real one does first
        return [(2, 1, 6, "", (address, port)) for address in self(host)]


# Addresses near the ones that matter, in every spelling.

FOURS = st.one_of(
    st.sampled_from(["127.0.0.1", "127.255.255.255", "126.255.255.255", "128.0.0.0", "0.0.0.0",
                     "169.254.170.2", "169.254.170.23", "169.254.169.254", "169.254.170.3",
                     "10.0.0.1"]).map(IPv4Address),
    st.ip_addresses(v=4),
)  # fmt: skip
SIXES = st.one_of(
    st.sampled_from(["::1", "::", "::2", "fd00:ec2::23", "fd00:ec2::254", "::ffff:127.0.0.1",
                     "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1",
                     "::ffff:169.254.170.2"]).map(IPv6Address),
    FOURS.map(lambda four: IPv6Address(f"::ffff:{four}")),
    st.ip_addresses(v=6),
)  # fmt: skip


@st.composite
def fours(draw):
    """Spell an IPv4 address with one to four numbers: decimal, octal or hexadecimal."""
    number = int(draw(FOURS))
    parts = [number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255]
    while len(parts) > draw(st.integers(1, 4)):
        last = parts.pop()
        parts[-1] = (parts[-1] << 8 * (4 - len(parts))) + last
    plain, zeros = st.just("{}"), st.integers(0, 3)
    spellings = st.one_of(plain, plain, st.sampled_from(["0{:o}", "0x{:x}", "0X{:X}", "00{:o}"]))
    if draw(st.booleans()):
        return ".".join(map(str, parts))
    return ".".join(draw(spellings).format(part) for part in parts) + "." * (draw(zeros) == 3)


@st.composite
def sixes(draw):
    """Spell an IPv6 address: zeros before, zeros left out, capitals, a tail of IPv4, a zone."""
    address = draw(SIXES)
    numbers = [int(address) >> 16 * place & 0xFFFF for place in reversed(range(8))]
    groups = [f"{number:0{draw(st.integers(1, 4))}x}" for number in numbers]
    if draw(st.booleans()):
        groups[6:] = [str(IPv4Address(int(address) & 0xFFFF_FFFF))]
    runs = [
        (begin, end)
        for begin in range(len(groups))
        for end in range(begin + 1, len(groups) + 1)
        if not any(group.strip("0") for group in groups[begin:end])
    ]
    text = ":".join(groups)
    if runs and draw(st.booleans()):
        begin, end = draw(st.sampled_from(runs))
        text = f"{':'.join(groups[:begin])}::{':'.join(groups[end:])}"
    zone = draw(st.sampled_from(["", "", "", "%lo", "%25lo", "%", "%1%2"]))
    return f"[{draw(st.sampled_from([text, text.upper()]))}{zone}]"


_NAMES = [
    *words("""
    localhost LOCALHOST localhost. localhost.. .localhost . a..b -a _a a_b
    xn--bcher-kva.example b\u00fccher.example \uff4cocalhost \uff11\uff12\uff17.0.0.1
    \u246027.0.0.1 127\u30020\u30020\u30021 %31%32%37.0.0.1 localhost%00 127.0.0.1%0d%0a
    127.0.0.1. 127.0.0.256 [localhost] [v1.localhost] [127.0.0.1] [::1]x x[::1] [[::1]] [::1 ::1
    a\\b a;b a,b a|b
"""),
    "local\rhost",
    "127.0.0.1\r",
    "127.0.0.1\n",
    "localhost\r\nX:1",
    "\nlocalhost",
]
NAMES = st.one_of(
    st.sampled_from(["", "a" * 63, "a" * 64, *_NAMES]),
    st.from_regex(r"[a-zA-Z0-9_.-]{1,12}", fullmatch=True),
)
_VISIBLE = st.characters(min_codepoint=33, max_codepoint=126)
ADDRESSES = st.lists(
    st.one_of(
        FOURS.map(str), SIXES.map(str), st.sampled_from(["fe80::1%2", "::1%lo", "127.0.0.1"])
    ),
    min_size=1,
    max_size=3,
)


_PORTS = words(": :80 :443 :0080 :65535 :65536 :-1 :+80 :8_0 :80:81 :\u0668\u0660 :port")
_RESTS = words("/ /a?b#c ?a #@evil //a /%41 /@a \\@a /a? ? # /\u00e9 ;a /..;/a")


#: What is odd about a URL besides its host; much at once is refused for the first of it.
_ODD = ["nothing"] * 4 + words("scheme slashes user port rest character everything")


@st.composite
def uris(draw):
    """Put a URL together, with something odd here and there."""
    odd = draw(st.sampled_from(_ODD))

    def one(part, good, samples):
        return draw(st.sampled_from(samples if odd in (part, "everything") else good))

    scheme = one("scheme", ["http", "http", "https"], ["http", "https", "HTTP", "ftp", "", "httpx"])
    slashes = one("slashes", ["://"], ["://", ":", ":/", ":///"])
    user = one("user", [""], ["", "user@", "u:p@", "@", "127.0.0.1@"])
    host = draw(st.one_of(fours(), sixes(), NAMES))
    port = one("port", ["", ":8080"], ["", *_PORTS])
    rest = one("rest", ["", "/a?b#c"], ["", *_RESTS, "/a\r\nX: 1", "/a\tb"])
    text = f"{scheme}{slashes}{user}{host}{port}{rest}"
    if odd in ("character", "everything"):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(CHARACTERS) + text[place:]
    return text


#: Each form of a host by itself, so that none depends on what is drawn.
FORMS = {
    "IPv4": ["127.0.0.1", "127.255.255.255", "128.0.0.1", "169.254.170.23", "169.254.169.254"],
    "IPv4 in decimal": ["2130706433", "2852039170", "167772161", "4294967296"],
    "IPv4 in octal": ["0177.0.0.1", "017700000001", "0251.0376.0252.02", "012.0.0.1"],
    "IPv4 in hex": ["0x7f.0.0.1", "0x7f000001", "0X7F.1", "0xa9.0xfe.0xaa.0x2", "0xa.1"],
    "IPv4 in short": ["127.1", "127.0.1", "10.1", "169.254.43522"],
    "IPv6": ["[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[0::0:1]", "[::]", "[::2]", "[1::1]"],
    "IPv6 of an agent": ["[fd00:ec2::23]", "[FD00:0EC2:0::0:23]", "[fd00:ec2::254]"],
    "IPv6 with a tail of IPv4": ["[::0.0.0.1]", "[fd00:ec2::0.0.0.35]", "[::127.0.0.1]"],
    "IPv6 with a zone": ["[::1%lo]", "[::1%25lo]", "[::1%]", "[fe80::1%1%2]", "[fd00:ec2::23%1]"],
    "IPv4-mapped IPv6": ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:169.254.170.2]"],
    "brackets": ["[127.0.0.1]", "[localhost]", "[::1", "::1", "[::1]x", "x[::1]", "[[::1]]"],
    "a trailing dot": ["127.0.0.1.", "localhost.", "localhost..", "127.1.", "[::1].", "[::1.]"],
    "user info": ["user@127.0.0.1", "u:p@localhost", "@127.0.0.1", "127.0.0.1@10.0.0.1", "@"],
    "upper case": ["LOCALHOST", "LocalHost.", "0X7F000001"],
    "IDNA": ["xn--bcher-kva.example", "b\u00fccher.example", "\uff4cocalhost", "127\u30020.0.1"],
    "digits that are no ASCII": ["\uff11\uff12\uff17.0.0.1", "\u246027.0.0.1", "\u0661.0.0.1"],
    "percent-encoding": ["%31%32%37.0.0.1", "127.0.0.1%2f", "localhost%00", "%6c%6fcalhost"],
    "CR and LF": ["127.0.0.1\r", "127.0.0.1\n", "local\rhost", "\nlocalhost", "a\r\nX:1"],
    "CR and LF, encoded": ["127.0.0.1%0d%0a", "localhost%0d%0aX:1", "%0alocalhost"],
    "other white space": ["127.0.0.1\t", " 127.0.0.1", "local host", "127.0.0.1\u00a0"],
    "backslashes": ["127.0.0.1\\@a", "a\\.127.0.0.1", "\\127.0.0.1"],
}


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["::1", "10.0.0.1"], ["::ffff:127.0.0.1"]])
def test_host_forms_are_accepted_or_refused_as_specified(answer, monkeypatch):
    resolver = Resolver(answer)
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    for form, hosts in FORMS.items():
        for host in hosts:
            for uri in (f"http://{host}/", f"HTTP://{host}:8080/a?b", f"https://{host}"):
                assert outcome(uri) == specified(uri, resolver), (form, uri)


@pytest.fixture(scope="module")
def session():
    return Session()


def test_the_accepted_set_is_the_specified_set():
    """And neither what is accepted nor what is refused is a rarity among the examples."""
    accepted = []

    @examples(8)
    @given(uri=uris(), answer=ADDRESSES)
    def same(uri, answer):
        resolver = Resolver(answer)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
            found = outcome(uri)
        assert found == specified(uri, resolver)
        accepted.append(found is not None)

    same()
    assert len(accepted) / 10 < sum(accepted) < len(accepted) * 9 / 10


@examples(2)
@given(address=ADDRESSES)
def test_only_allowed_addresses_are_connected_to(address):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", Resolver(address).getaddrinfo)
        found = outcome("http://agent/")
    assert (found is not None) == all(map(is_allowed, address))


@examples(4)
@given(st.one_of(uris(), st.text(CHARACTERS), uris().map(lambda uri: f"/{uri}")))
def test_a_relative_uri_never_names_another_host(text):
    try:
        path = relative_uri(text)
    except ValueError as error:
        assert len(text) < 8 or text not in str(error)  # noqa: PT017 - it need not be raised
        return
    endpoint = Endpoint.parse(f"http://169.254.170.2{path}")
    assert (endpoint.scheme, endpoint.authority) == ("http", "169.254.170.2")


@examples(4)
@given(st.one_of(uris(), st.text(CHARACTERS)))
def test_refusal_does_not_show_the_path(text):
    """The URL may hold a secret in its path, query or user info."""
    secret = "do-not-show"
    try:
        full_uri(f"{text}/{secret}")
        full_uri(f"http://{secret}@{text}")
    except ValueError as error:
        assert secret not in str(error)  # noqa: PT017 - it need not be raised


@examples(0.5)
@given(path=st.text(_VISIBLE.filter(lambda one: one not in ".;"), max_size=30))
def test_requested_path_arrives_unchanged(path, fuzzed_aws, session):
    """But for what urllib3 quotes, dots, which it resolves as browsers do, and an empty query."""
    endpoint = Endpoint.parse(f"{fuzzed_aws.url}/{path}")
    request(endpoint, {}, Timeouts(5, 5, 25), session)
    sent = fuzzed_aws.requests.pop()
    before, mark, query = f"/{path}".partition("#")[0].partition("?")
    expected = before + mark + query if query else before
    assert unquote(sent.target) == unquote(expected)
    assert sent.headers["Host"] == f"127.0.0.1:{fuzzed_aws.port}"
