"""No request of a client with ``per_request()`` carries the access key of another tenant.

Each tenant writes to a key of its own name, so that a request says who it must be signed by. The
loopback AWS notes which identity each access key is for, and checks nothing.
"""

import asyncio
import contextvars
import io
import logging
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from botocore_ext import FrozenCredentials, Session, from_web_token, per_request, use_credentials
from tests import fakes
from tests.effort import rounds
from tests.runtime.test_fork import in_child
from tests.session.test_identity_properties import WitnessAws

pytestmark = [
    pytest.mark.caller_signs,
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

TENANT = st.sampled_from([f"tenant{one}" for one in range(5)])
KIND = st.sampled_from(["web", "function", "frozen"])
PAGE = b"""<ListBucketResult><IsTruncated>true</IsTruncated>
    <NextContinuationToken>t</NextContinuationToken></ListBucketResult>"""


@pytest.fixture
def witness(monkeypatch):
    found = WitnessAws()
    monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
    yield found
    found.close()


def owner_of_target(request):
    """Return the tenant that a request to S3 names."""
    found = re.search(r"tenant\d+", request.target)
    return found and found[0]


def mistakes(aws):
    """Return the requests that were signed for another tenant than they name, and forget all."""
    found = []
    for request in aws.requests:
        owner = owner_of_target(request)
        if owner:
            key = re.search(r"Credential=(\w+)/", request.headers["Authorization"])[1]
            signer = key[4:].lower() if key.startswith("AKIA") else aws.issued[key][1]
            found += [(owner, signer)] if owner != signer else []
    aws.requests.clear()
    return found


class Tenants(RuleBasedStateMachine):
    """A client, tenants with providers of several kinds, and what may happen to them."""

    def __init__(self, aws):
        super().__init__()
        self.aws = aws
        aws.scripts.clear()
        self.session = Session(credentials=per_request(max_identities=2), region_name="eu-west-1")
        self.client = self.session.client("s3")
        self.sources, self.pages, self.contexts = {}, [], []

    def source(self, tenant, kind):
        if (tenant, kind) not in self.sources:
            self.sources[tenant, kind] = self.new(tenant, kind)
        return self.sources[tenant, kind]

    def new(self, tenant, kind):
        if kind == "web":
            return from_web_token(
                role_arn="arn:aws:iam::123456789012:role/A",
                web_identity_token=self.aws.token(tenant),
            )
        static = FrozenCredentials(f"AKIA{tenant.upper()}", "secret")
        return static if kind == "frozen" else lambda: static

    def put(self, tenant):
        self.client.put_object(Bucket="bucket", Key=tenant)

    def call(self, tenant, kind):
        with use_credentials(self.source(tenant, kind)):
            self.put(tenant)

    @rule(tenant=TENANT, kind=KIND)
    def calls(self, tenant, kind):
        self.call(tenant, kind)

    @rule(first=TENANT, second=TENANT, kind=KIND)
    def nests(self, first, second, kind):
        with use_credentials(self.source(first, kind)):
            self.put(first)
            self.call(second, "web")
            self.put(first)

    @rule(tenants=st.lists(TENANT, min_size=2, max_size=6), kind=KIND)
    def calls_in_threads(self, tenants, kind):
        with ThreadPoolExecutor(len(tenants)) as pool:
            list(pool.map(self.call, tenants, [kind] * len(tenants)))

    @rule(tenants=st.lists(TENANT, min_size=2, max_size=6), kind=KIND)
    def calls_in_tasks(self, tenants, kind):
        async def task(tenant):
            async with use_credentials(self.source(tenant, kind)):
                await asyncio.sleep(0)
                self.put(tenant)
                await asyncio.to_thread(self.put, tenant)

        async def run():
            await asyncio.gather(*map(task, tenants))

        asyncio.run(run())

    @rule(tenant=TENANT, kind=KIND)
    def keeps_a_context(self, tenant, kind):
        with use_credentials(self.source(tenant, kind)):
            self.contexts.append((tenant, contextvars.copy_context()))

    @rule()
    def uses_the_contexts(self):
        for tenant, context in self.contexts:
            context.run(self.put, tenant)

    @rule(tenant=TENANT, kind=KIND)
    def paginates(self, tenant, kind):
        with use_credentials(self.source(tenant, kind)):
            paginator = self.client.get_paginator("list_objects_v2")
            self.pages.append(iter(paginator.paginate(Bucket="bucket", Prefix=tenant)))

    @rule(reader=TENANT, kind=KIND)
    def reads_pages(self, reader, kind):
        with use_credentials(self.source(reader, kind)):
            for pages in self.pages:
                self.aws.script("GET", fakes.Answer(PAGE))
                next(pages)

    @rule(tenant=TENANT, kind=KIND)
    def uploads(self, tenant, kind):
        with use_credentials(self.source(tenant, kind)):
            self.client.upload_fileobj(io.BytesIO(b"x"), "bucket", tenant)

    @rule(tenant=TENANT)
    def gets_a_new_token(self, tenant):
        """The provider is that of another tenant from now on."""
        provider = self.source(tenant, "web")
        other = f"tenant{(int(tenant[6:]) + 1) % 5}"
        provider.web_identity_token = self.aws.token(other)
        with use_credentials(provider):
            self.put(other)
        provider.web_identity_token = self.aws.token(tenant)

    @rule(tenant=TENANT)
    def is_invalidated(self, tenant):
        self.source(tenant, "web").invalidate()

    @rule(tenant=TENANT, kind=KIND)
    def is_dropped(self, tenant, kind):
        """A context that was copied earlier may still have it."""
        self.sources.pop((tenant, kind), None)

    @rule(tenant=TENANT, kind=KIND)
    def is_rejected(self, tenant, kind):
        """The error passes if nothing new came, or what came is rejected within five seconds."""
        self.aws.script("PUT", fakes.error("ExpiredToken"))
        with suppress(self.client.exceptions.ClientError):
            self.call(tenant, kind)

    @rule(tenant=TENANT, other=TENANT)
    def is_rejected_while_others_call(self, tenant, other):
        self.call(tenant, "web")
        self.aws.script("PUT", *[fakes.error("ExpiredToken")] * 2)

        def call(name):
            with suppress(self.client.exceptions.ClientError):  # it may be rejected twice
                self.call(name, "web")

        threads = [threading.Thread(target=call, args=[one]) for one in (tenant, other) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.aws.scripts.pop("PUT", None)

    @rule(tenant=TENANT, other=TENANT)
    def forks(self, tenant, other):
        self.source(other, "web")  # the server is in this process, and knows its tokens
        with use_credentials(self.source(tenant, "web")):
            self.put(tenant)
            assert in_child(lambda: self.calls_with_a_new_client(tenant, other)) == "None"

    def calls_with_a_new_client(self, tenant, other):
        """The connections of a client do not survive a fork; the identity in force does."""
        self.client = self.session.client("s3")
        self.put(tenant)
        self.call(other, "web")

    @invariant()
    def no_request_is_of_another_identity(self):
        assert mistakes(self.aws) == []


@pytest.mark.proof
@pytest.mark.parametrize("part", range(rounds(1, 4)))
def test_no_request_carries_the_key_of_another_tenant(witness, part):
    """In parts that end within the time of a test, each with other examples."""
    run_machine(
        seed(part)(lambda: Tenants(witness)),
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # each example takes too long to look for a shorter one
        ),
    )


@pytest.mark.parametrize("part", range(rounds(1, 4)))
def test_a_storm(witness, part, caplog):
    """16 threads and many tenants, some invalidated, some rejected, and not all of them cached.

    The gate makes 10,000 requests, in parts that end within the time of a test.
    """
    caplog.set_level(logging.WARNING)  # records of 10,000 requests take longer than these
    count, names = rounds(200, 2_500), [f"tenant{one}" for one in range(rounds(40, 200))]
    limit = len(names) * 3 // 4
    session = Session(credentials=per_request(max_identities=limit), region_name="eu-west-1")
    client, chance = session.client("s3"), random.Random(part)
    providers = {
        name: from_web_token(
            role_arn="arn:aws:iam::123456789012:role/A", web_identity_token=witness.token(name)
        )
        for name in names
    }

    def reject(params, **_):
        if chance.random() < 0.02:
            witness.script("PUT", fakes.error("ExpiredToken"))

    client.meta.events.register("before-call.s3.PutObject", reject)

    def work(name):
        with use_credentials(providers[name]):
            if chance.random() < 0.05:
                providers[name].invalidate()
            with suppress(client.exceptions.ClientError):  # it may be rejected twice
                client.put_object(Bucket="bucket", Key=name)
        with use_credentials(providers[name]):
            url = client.generate_presigned_url("put_object", {"Bucket": "b", "Key": name})
        return name, url

    with ThreadPoolExecutor(16) as pool:
        urls = list(pool.map(work, chance.choices(names, k=count)))
    assert sum(owner_of_target(one) is not None for one in witness.requests) >= count
    assert mistakes(witness) == []
    keys = [(name, re.search(r"(?:KeyId=|Credential=)(\w+)", url)[1]) for name, url in urls]
    assert [one for one in keys if witness.issued[one[1]][1] != one[0]] == []
