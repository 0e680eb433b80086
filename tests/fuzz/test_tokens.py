"""Token references: what any text in a profile means as a token, and what its source then gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botocore_ext import ConfigurationError, FetchError, Scope
from botocore_ext.options.references import reference, references, resolve
from botocore_ext.tokens import (
    AmbientToken,
    AzureToken,
    GitHubActionsToken,
    GoogleToken,
    TokenFile,
    TokenProcess,
    TokenVariable,
)

from . import ANYTHING, CHARACTERS, PRINTABLE, TEXT, examples

SECRET = "s3cr3t-d0-n0t-sh0w"
SCHEMES = st.sampled_from(
    ["file://", "env://", "process://", "github-actions://", "ambient://", "azure://",
     "google://", "oauth://", "FILE://", "Env://",
     "http://", "vault+x.y-1://", "1://", "://", "file:", "file:/", "/", "~/", "~root/", "~\0/", " file://"]
)  # fmt: skip
REFERENCES = st.one_of(TEXT, st.tuples(SCHEMES, st.one_of(TEXT, PRINTABLE)).map("".join), SCHEMES)


def read(text):
    """Return what a text means; None if it is refused."""
    try:
        return reference(text, Scope(environ={}))
    except (ConfigurationError, ValueError):
        return None


def token_of(source):
    """Return what a source gives; None where it fails as documented."""
    try:
        return resolve(source, "token")
    except FetchError:
        return None


@examples(5)
@given(REFERENCES)
def test_a_text_is_a_token_or_a_reference_or_refused(text):
    found = read(text)
    scheme, mark, rest = text.partition("://")
    is_scheme = bool(mark) and scheme.isascii() and scheme[:1].isalpha()
    is_scheme = is_scheme and all(one.isalnum() or one in "+.-" for one in scheme)
    if is_scheme:
        kinds = {
            "file": TokenFile,
            "env": TokenVariable,
            "process": TokenProcess,
            "github-actions": GitHubActionsToken,
            "ambient": AmbientToken,
            "azure": AzureToken,
            "google": GoogleToken,
        }
        assert found is None or type(found) is kinds[scheme.lower()]
        assert rest.strip() or found is None
    else:
        # What is a slip for a reference is refused: tests/options/test_slips.py has them all.
        slips = ("/", "\\", "~/", "~\\", "./", "../", "$", "%", "`", "file:", "env:", "process:")
        is_slip = text.strip().lower().startswith(slips) or text[1:3] in (":/", ":\\")
        assert found == text or (found is None and is_slip)


@examples(2)
@given(SCHEMES, st.one_of(TEXT, PRINTABLE))
def test_what_is_refused_is_not_shown(scheme, text):
    if scheme == "oauth://":  # the name of a section, and shown
        return
    try:
        reference(scheme + text + SECRET, Scope(environ={}))
    except ValueError as error:
        assert SECRET not in str(error)  # noqa: PT017 - it need not be raised


@given(st.one_of(ANYTHING, st.dictionaries(st.text(max_size=3), REFERENCES, max_size=3)))
def test_a_block_of_references_is_read_or_refused(block):
    try:
        references(block, Scope(environ={}))
    except (ConfigurationError, ValueError):
        return


@examples(3)
@given(st.one_of(TEXT, st.text(CHARACTERS).map("/nowhere/{}".format)))
def test_a_file_of_any_name_gives_a_token_or_a_fetch_error(path):
    assert token_of(TokenFile(path)) is None or path == "~"


@examples(1)
@given(st.one_of(st.binary(), TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_a_file_of_any_content_gives_a_token_or_a_fetch_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "token"
    path.write_bytes(content)
    token = token_of(TokenFile(str(path)))
    assert token is None or (token == content.decode("utf-8").strip() and token.isprintable())


@examples(3)
@given(TEXT)
def test_a_variable_of_any_name_gives_a_token_or_a_fetch_error(name):
    assert token_of(TokenVariable(name)) is None or name


@examples(0.5)
@given(st.one_of(TEXT, PRINTABLE))
def test_process_gives_a_token_or_a_fetch_error(arguments):
    token = token_of(TokenProcess(f"echo {arguments}"))
    assert token is None or token.isprintable()


@examples(1)
@given(st.one_of(TEXT, PRINTABLE))
def test_ambient_gives_a_token_or_a_fetch_error(audience):
    far = Scope(environ={"ACTIONS_ID_TOKEN_REQUEST_URL": "http://203.0.113.7/"})
    assert token_of(GitHubActionsToken(audience, scope=far)) is None
    assert token_of(AmbientToken(audience)) is None


@examples(2)
@given(ANYTHING)
def test_a_callable_may_return_anything(value):
    token = token_of(lambda: value)
    assert token is None or (token == value.strip() and token.isprintable())


@pytest.mark.parametrize("value", ["\ud800", "a\0b", "\x7f", "\u2028", " \n "])
def test_a_text_that_cannot_be_sent_is_refused(value):
    assert token_of(value) is None
