"""What a client of botocore keeps between requests, besides bucket sessions, holds no identity."""

import json
from types import SimpleNamespace
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse

from botocore_ext import FrozenCredentials, Session


class Wire:
    """Answers every request, and notes who sent each one, and where to."""

    def __init__(self, answer):
        self.answer = answer
        self.sent = []

    def __call__(self, request, **_):
        user = request.headers["Authorization"].decode().partition("Credential=")[2]
        self.sent.append((user.partition("/")[0], urlsplit(request.url).hostname))
        body = json.dumps(self.answer).encode()
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: [body]))


def requests_of_two_users(service, operation, answer):
    """Make a request as each of two users of different accounts, with one client."""
    users = [
        FrozenCredentials("AKIA1", "s", None, None, "1" * 12),
        FrozenCredentials("AKIA2", "s", None, None, "2" * 12),
    ]
    session = Session(credentials=lambda: users[0])
    client = session.client(service, region_name="us-west-2")
    wire = Wire(answer)
    client.meta.events.register_first("before-send", wire)
    for _ in range(2):
        getattr(client, operation)()
        del users[:-1]
        session.get_credentials().refresh()
    return wire.sent


def test_an_account_based_endpoint_follows_the_account():
    assert requests_of_two_users("dynamodb", "list_tables", {"TableNames": []}) == [
        ("AKIA1", f"{'1' * 12}.ddb.us-west-2.amazonaws.com"),
        ("AKIA2", f"{'2' * 12}.ddb.us-west-2.amazonaws.com"),
    ]


def test_discovered_endpoint_outlives_credentials():
    """It is an address, which the service replaces when it is wrong."""
    endpoint = {"Address": "cell1.timestream.us-west-2.amazonaws.com", "CachePeriodInMinutes": 60}
    answer = {"Endpoints": [endpoint], "Databases": []}
    discovery = "ingest.timestream.us-west-2.amazonaws.com"
    assert requests_of_two_users("timestream-write", "list_databases", answer) == [
        ("AKIA1", discovery),
        ("AKIA1", endpoint["Address"]),
        ("AKIA2", endpoint["Address"]),
    ]
