"""What the value of an option may be; in profiles, see ``tests/cases/errors.toml``."""

from datetime import timedelta

import pytest
from botocore.session import Session

from botocore_ext.options import references, types


@pytest.mark.parametrize(
    ("parse", "given", "found"),
    [
        (types.text, " a ", "a"),
        (types.arn, "arn:aws:iam::123456789012:role/A", "arn:aws:iam::123456789012:role/A"),
        (types.arn, "arn:aws-cn:iam::aws:policy/A", "arn:aws-cn:iam::aws:policy/A"),
        (types.arns, ("arn:aws:iam::aws:policy/A",), ["arn:aws:iam::aws:policy/A"]),
        (types.seconds, "1.5", 1.5),
        (types.seconds, 2, 2.0),
        (types.seconds, timedelta(minutes=1), 60.0),
        (types.whole, " 3 ", 3),
        (types.whole, 0, 0),
        (types.json_document, {"a": [1]}, '{"a": [1]}'),
        (types.path, f"~/{'a' * 200}/{'b' * 200}", f"~/{'a' * 200}/{'b' * 200}"),
        (types.flag, False, False),
        (types.window, "AUTO", "auto"),
        (types.window, timedelta(minutes=5), 300.0),
        (types.lifetime, "300", 300.0),
        (types.header, " Bearer a ", "Bearer a"),
        (types.cognito_id, "us-east-1:abc", "us-east-1:abc"),
        (types.client_config, {"verify": False}, {"verify": False}),
    ],
)
def test_what_is_accepted(parse, given, found):
    assert parse(given) == found


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    ("parse", "given", "text"),
    [
        (types.text, 1, "must be a string, not int"),
        (types.text, "  ", "is empty"),
        (types.path, "-----BEGIN PRIVATE KEY-----\nA", "must be the path of a file"),
        (types.path, f"/a/{'b' * 256}", "must be the path of a file"),
        (types.arn, "role/A", "is not an ARN"),
        (types.arn, 1, "must be a string"),
        (types.regional_arn, "role/A", "is not an ARN"),
        (types.regional_arn, "arn:aws:rolesanywhere::123456789012:trust-anchor/A", "with a region"),
        (types.arns, 1, "must be a list of ARNs, not int"),
        (types.arns, {"arn": "arn:aws:iam::aws:policy/A"}, "must be a list of ARNs, not dict"),
        (types.arns, ["A"], "is not a list of ARNs: one is not an ARN"),
        (types.arns, [{"name": "A"}], "one must be a string, not NoneType"),
        (types.seconds, "1s", "is not a number of seconds"),
        (types.seconds, 0, "is not a number of seconds"),
        (types.seconds, -1, "is not a number of seconds"),
        (types.seconds, True, "is not a number of seconds"),
        (types.seconds, float("inf"), "is not a number of seconds"),
        (types.seconds, None, "is not a number of seconds"),
        (types.whole, "1.5", "is not a whole number"),
        (types.whole, -1, "is not a whole number"),
        (types.whole, True, "is not a whole number"),
        (types.function, 1, "must be callable, not int"),
        (references.tokens, {}, "is empty .leave it out for a guest"),
        (types.flag, "yes", "must be True or False, not str"),
        (types.mapping, "a", "must be a mapping, not str"),
        (types.json_document, "[1]", "is not a JSON object"),
        (types.json_document, "{", "is not JSON"),
        (types.json_document, "[" * 100_000, "is not JSON that can be read"),
        (types.json_document, f'{{"a": {"9" * 5000}}}', "is not JSON that can be read"),
        (types.json_document, {"a": object()}, "contains a value that JSON does not support"),
        (types.window, "none", "is neither a number of seconds above 0 nor `auto`"),
        (types.lifetime, 299, "is less than five minutes"),
        (types.header, "a\nb", "contains a line break"),
        (types.cognito_id, "abc", "is not a Cognito ID"),
        (types.client_config, [], "must be a mapping of create_client"),
        (types.client_config, {"region": "x"}, "did you mean 'region_name'"),
    ],
)
def test_what_is_refused(parse, given, text):
    with pytest.raises(ValueError, match=text):
        parse(given)


def test_any_client_config_if_create_client_takes_any(monkeypatch):
    """A library may have replaced it with a function that hides the names of the arguments."""

    def create_client(self, service, **others):
        """Hide the names of the arguments."""

    monkeypatch.setattr(Session, "create_client", create_client)
    assert types.client_config({"new_argument": 1}) == {"new_argument": 1}
