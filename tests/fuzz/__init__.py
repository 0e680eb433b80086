"""Properties, tried with values that no author thought of (hypothesis).

The examples are few and the same at every run; ``tests/effort.py`` says when there are more, and
with ``thorough`` they are other ones at each run.
"""

import string

from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from botocore_ext import ProviderError
from tests import effort

#: What may leave the package once options are read; see "Errors" in docs/code.md.
DOCUMENTED = (ProviderError, ClientError, BotoCoreError)

_COMMON = {
    "database": None,
    "deadline": None,
    "print_blob": False,
    # Files, sessions and a loopback server take their time; the fixtures hold for all examples.
    "suppress_health_check": list(HealthCheck),
}
settings.register_profile("dev", max_examples=25, derandomize=True, **_COMMON)
settings.register_profile("gate", max_examples=60, derandomize=True, **_COMMON)
settings.register_profile("thorough", max_examples=3000, **_COMMON)
settings.load_profile(effort.LEVEL)


def examples(share: float) -> settings:
    """Try a part, or a multiple, of the examples that the profile has."""
    return settings(max_examples=max(5, int(settings().max_examples * share)))


def words(text: str) -> list[str]:
    """Split a line of samples."""
    return text.split()


class Long(str):
    """A text that hypothesis need not show in full."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show how it begins."""
        return f"<{len(self)} times {self[:5]!r}>"


#: Any character, also those that cannot be encoded.
CHARACTERS = st.characters(exclude_categories=())
#: Any text, often with what means something somewhere.
TEXT = st.one_of(
    st.text(CHARACTERS, max_size=40),
    st.lists(
        st.sampled_from(
            ["\0", "\r\n", "\n", " ", "\t", "://", "file://", "env://", "~", "/", ":", "@", "%",
             "..", ",", ";", " #", " ;", "=", "{", "[", '"', "'", "\\", "$", "${x}", "%(x)s",
             "\ud800", "\u0661", "arn:aws:iam::1:role/A", "us-east-1:", "0", "1e999", "nan",
             "auto", "profile ", "a", "é", "x" * 70]
        ),
        max_size=8,
    ).map("".join),
    # Deeper than any parser's stack, longer than any number may be.
    # Not map(Long): a strategy may itself be a value, and its repr shows what it samples.
    st.sampled_from([*map(Long, ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "x" * 100_000])]),
)  # fmt: skip
PRINTABLE = st.text(string.printable, max_size=40)
#: Anything that a caller may pass for an option.
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just(10**400),
        st.floats(),
        TEXT,
        st.binary(max_size=20),
        st.datetimes(),
        st.timedeltas(),
        st.builds(object),
        st.just(TEXT),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner),
        st.frozensets(st.text(max_size=3), max_size=3),
        st.dictionaries(st.text(max_size=5), inner, max_size=4),
        st.builds(iter, st.lists(inner, max_size=2)),
        inner.map(lambda value: lambda: value),
    ),
    max_leaves=8,
)
