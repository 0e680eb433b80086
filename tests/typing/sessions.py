"""What boto3-stubs says of boto3's sessions holds for ours; mypy checks it with the package."""

from typing import Any

import boto3
from mypy_boto3_sts import STSClient
from typing_extensions import assert_type

import botocore_ext
from botocore_ext import FrozenCredentials, Session, from_env, per_request, use_credentials

assert_type(Session(credentials=from_env()).client("sts"), STSClient)
assert_type(Session(profile_name="mobile", region_name="eu-west-1").client("sts"), STSClient)

botocore_ext.install()
assert_type(boto3.Session(profile_name="mobile").client("sts"), STSClient)
session: boto3.Session = Session()
botocore_ext.extend(session)

assert_type(Session().using(from_env()), Session)
assert_type(Session().using(from_env()).client("sts"), STSClient)
# Python's types cannot add a keyword to the overloads of boto3-stubs.
Session().client("sts", credentials=from_env())  # type: ignore[call-overload]  # use using()
assert_type(botocore_ext.client(session, "sts", credentials=from_env()), Any)
assert_type(botocore_ext.resource(session, "s3", credentials=lambda: None), Any)

assert_type(Session(credentials=per_request(from_env())).client("sts"), STSClient)
with use_credentials(from_env()) as block:
    assert_type(block, use_credentials)


@use_credentials(FrozenCredentials("AKIA", "secret"))
def decorated(count: int) -> str:
    return str(count)


@use_credentials(lambda: None)
async def awaited(count: int) -> str:
    return str(count)


assert_type(decorated(1), str)
assert_type(from_env()(), FrozenCredentials)
