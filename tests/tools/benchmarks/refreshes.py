"""Point 2: one refresh of a web token."""

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from botocore_ext import from_web_token

from .measuring import ROLE, Figure, interleaved, seconds
from .server import LIFETIME

TITLE = "One refresh of a web token"
BOUND = (
    "botocore's own call: the endpoint rules, serializing, urllib3, parsing XML. botocore's "
    "refresh makes a client and a connection first, each time."
)
NEXT = "the options, which are read and checked again for each fetch (0.06 ms)."

#: Below botocore's mandatory window, so that it refreshes at each use.
_SHORT = 500


def run(world):
    world.service.asked(lifetime=_SHORT)
    token = (world.home / "token").read_text()
    theirs = boto3.Session(profile_name="plain").get_credentials()
    ours = from_web_token(role_arn=ROLE, web_identity_token=token, role_session_name="me").load()
    client = boto3.Session().client("sts", config=Config(signature_version=UNSIGNED))
    parameters = {"RoleArn": ROLE, "RoleSessionName": "me", "WebIdentityToken": token}

    def call():
        client.assume_role_with_web_identity(**parameters)

    for work in (theirs.get_frozen_credentials, ours.refresh, call):
        work()  # connections and classes are there
    world.service.asked()
    rounds = world.times(150)
    plain, mine, bare = interleaved(
        rounds,
        lambda: seconds(theirs.get_frozen_credentials),
        lambda: seconds(ours.refresh),
        lambda: seconds(call),
    )
    asked = world.service.asked(lifetime=LIFETIME)
    assert asked == {"AssumeRoleWithWebIdentity": 3 * rounds}, asked
    return [
        Figure(
            "refresh, to botocore's own web-identity refresh",
            mine / plain,
            goal=0.30,
            made_of=f"{mine * 1e3:.2f} ms to {plain * 1e3:.2f} ms",
        ),
        Figure(
            "refresh, to a call on a reused botocore client",
            mine / bare,
            goal=3,
            made_of=f"{mine * 1e3:.2f} ms to {bare * 1e3:.2f} ms",
        ),
    ]
