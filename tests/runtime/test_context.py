"""What surrounds a fetch ends with it, and what the caller's own code sets stays set."""

from contextvars import ContextVar

import pytest

from botocore_ext import FetchError, from_web_token
from botocore_ext.runtime.context import run_with
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/Web"

variable = ContextVar("variable", default="unset")
other = ContextVar("other", default="unset")


@pytest.fixture(autouse=True)
def _unset():
    token = other.set("unset")
    yield
    other.reset(token)


def test_a_variable_is_set_for_the_work_alone():
    assert run_with(variable, "set", variable.get) == "set"
    assert variable.get() == "unset"


def test_variables_of_failed_work_keep_their_values():
    def fail():
        other.set("by the work")
        raise KeyError

    with pytest.raises(KeyError):
        run_with(variable, "set", fail)
    assert (variable.get(), other.get()) == ("unset", "by the work")


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_token_callable_sets_reaches_its_caller(aws, fails):
    """Instrumentation keeps the span of a request so."""

    def token():
        other.set("by the callable")
        if fails:
            raise FetchError(provider="mine", error_msg="no token today")
        return fakes.secret("token")

    credentials = from_web_token(role_arn=ROLE, web_identity_token=token).load()
    if fails:
        with pytest.raises(FetchError):
            credentials.get_frozen_credentials()
    else:
        credentials.get_frozen_credentials()
    assert other.get() == "by the callable"
    assert len(aws.requests) == (not fails)
