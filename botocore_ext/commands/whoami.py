"""``botocore-ext whoami``: whose credentials a profile has, by one GetCallerIdentity."""

import argparse
import json
import sys
from typing import Any

from botocore.session import Session

from ..aws.frozen_credentials import rfc_3339
from ..system import Clock
from .lookup import add_profile, look_up, show_seconds

#: The region of a session that has none: STS answers in each.
_REGION = "us-east-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_profile(parser)
    parser.add_argument("--json", action="store_true", help="print data instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Print who the credentials belong to, where they are from and until when they last."""
    with show_seconds():
        found = look_up(Session(profile=arguments.profile))
        region = found.session.get_config_variable("region") or _REGION
        client: Any = found.session.create_client("sts", region_name=region)
        caller = client.get_caller_identity()
        end = found.frozen().expiration
    members = {
        "Arn": caller["Arn"],
        "Account": caller["Account"],
        "UserId": caller["UserId"],
        "Method": found.credentials.method,
        "Profile": found.profile,
        "Expiration": None if end is None else rfc_3339(end),
    }
    if arguments.json:
        sys.stdout.write(json.dumps(members, indent=2) + "\n")
        return 0
    if end is None:
        members["Expiration"] = "not known"
    else:
        left = max(0, end.timestamp() - Clock().now())
        members["Expiration"] += f" (in {left // 60:.0f} min)"
    for name, value in members.items():
        sys.stdout.write(f"{name:<10}  {value}\n")
    return 0
