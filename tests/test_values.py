"""What the value of an option may be; in profiles, see ``tests/cases/errors.toml``."""

from datetime import timedelta

import pytest

from botocore_ext.declaration import clients, references, times, values


@pytest.mark.parametrize(
    ("parse", "given", "found"),
    [
        (values.text, " a ", "a"),
        (values.arn, "arn:aws:iam::123456789012:role/A", "arn:aws:iam::123456789012:role/A"),
        (values.arn, "arn:aws-cn:iam::aws:policy/A", "arn:aws-cn:iam::aws:policy/A"),
        (values.arns, ("arn:aws:iam::aws:policy/A",), ["arn:aws:iam::aws:policy/A"]),
        (times.seconds, "1.5", 1.5),
        (times.seconds, 2, 2.0),
        (times.seconds, timedelta(minutes=1), 60.0),
        (values.whole, " 3 ", 3),
        (values.whole, 0, 0),
        (values.json_document, {"a": [1]}, '{"a": [1]}'),
        (values.flag, False, False),
        (times.window, "AUTO", "auto"),
        (times.window, timedelta(minutes=5), 300.0),
        (times.lifetime, "300", 300.0),
        (values.header, " Bearer a ", "Bearer a"),
        (values.cognito_id, "us-east-1:abc", "us-east-1:abc"),
        (clients.client_config, {"verify": False}, {"verify": False}),
    ],
)
def test_what_is_accepted(parse, given, found):
    assert parse(given) == found


@pytest.mark.parametrize(
    ("parse", "given", "text"),
    [
        (values.text, 1, "must be a string, not int"),
        (values.text, "  ", "is empty"),
        (values.arn, "role/A", "is not an ARN"),
        (values.arn, 1, "must be a string"),
        (values.arns, 1, "must be a list of ARNs, not int"),
        (values.arns, {"arn": "arn:aws:iam::aws:policy/A"}, "must be a list of ARNs, not dict"),
        (values.arns, ["A"], "is not a list of ARNs: one is not an ARN"),
        (values.arns, [{"name": "A"}], "one must be a string, not NoneType"),
        (times.seconds, "1s", "is not a number of seconds"),
        (times.seconds, 0, "is not a number of seconds"),
        (times.seconds, -1, "is not a number of seconds"),
        (times.seconds, True, "is not a number of seconds"),
        (times.seconds, float("inf"), "is not a number of seconds"),
        (times.seconds, None, "is not a number of seconds"),
        (values.whole, "1.5", "is not a whole number"),
        (values.whole, -1, "is not a whole number"),
        (values.whole, True, "is not a whole number"),
        (values.function, 1, "must be callable, not int"),
        (references.tokens, {}, "is empty .leave it out for a guest"),
        (values.flag, "yes", "must be True or False, not str"),
        (values.mapping, "a", "must be a mapping, not str"),
        (values.json_document, "[1]", "is not a JSON object"),
        (values.json_document, "{", "is not JSON"),
        (values.json_document, "[" * 100_000, "is not JSON that can be read"),
        (values.json_document, f'{{"a": {"9" * 5000}}}', "is not JSON that can be read"),
        (values.json_document, {"a": object()}, "holds something that JSON cannot express"),
        (times.window, "none", "is neither a number of seconds above 0 nor `auto`"),
        (times.lifetime, 299, "is less than five minutes"),
        (values.header, "a\nb", "contains a line break"),
        (values.cognito_id, "abc", "is not a Cognito id"),
        (clients.client_config, [], "must be a mapping of create_client"),
        (clients.client_config, {"region": "x"}, "did you mean 'region_name'"),
    ],
)
def test_what_is_refused(parse, given, text):
    with pytest.raises(ValueError, match=text):
        parse(given)
