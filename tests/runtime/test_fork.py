"""Forked and spawned processes: what they share with their parent, and what they must not."""

import multiprocessing
import os
import signal
import threading

import botocore.session
import pytest

import botocore_ext
from botocore_ext import Scope, Session, from_web_token
from botocore_ext.aws import clients
from botocore_ext.refresh.refresher import Refresher
from tests import effort, fakes
from tests.refresh.test_refresh import ROLE, Source, served

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def in_children(*works):
    """Fork a child for each of ``works``, all at once, and return what each of them gave."""
    pipes = [(*os.pipe(), work) for work in works]
    children = [child(reader, writer, work) for reader, writer, work in pipes]
    for _, writer, _ in pipes:
        os.close(writer)
    texts = []
    for reader, _, _ in pipes:
        with os.fdopen(reader) as pipe:
            texts.append(pipe.read())
    for pid in children:
        os.waitpid(pid, 0)
    return texts


def child(reader, writer, work):
    pid = os.fork()
    if pid == 0:  # pragma: no cover - coverage does not follow a fork that ends by os._exit
        text = "nothing"
        signal.alarm(60)  # a child that is stuck is a failure, not a wait
        try:
            text = str(work())
        except Exception as error:  # noqa: BLE001 - what it gave
            text = repr(error)
        finally:
            os.write(writer, text.encode())
            os._exit(0)
    return pid


def in_child(work):
    (text,) = in_children(work)
    return text


@pytest.fixture
def provider(aws):
    return from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token")).bind(Scope())


def test_a_child_forked_during_a_fetch_is_not_stuck(provider, aws):
    aws.delay = 0.5
    credentials = provider.load()
    thread = threading.Thread(target=credentials.get_frozen_credentials)
    thread.start()
    assert fakes.comes_true(lambda: len(aws.requests) == 1)
    assert in_child(lambda: credentials.access_key).startswith("ASIA")
    thread.join()
    assert len(aws.requests) == 2


def test_a_child_forked_during_a_refresh_fetches_for_itself(provider, aws):
    credentials = provider.load()
    old = credentials.access_key
    credentials.invalidate()
    aws.delay = 0.5
    thread = threading.Thread(target=credentials.get_frozen_credentials)
    thread.start()
    assert fakes.comes_true(lambda: len(aws.requests) == 2)
    new = in_child(lambda: credentials.access_key)
    thread.join()
    assert new.startswith("ASIA")
    assert len({old, new, credentials.access_key}) == 3


def test_fork_during_a_session_check_does_not_deadlock(provider):
    looking, go_on = threading.Event(), threading.Event()

    class Slow(botocore.session.Session):
        def get_scoped_config(self):
            looking.set()
            go_on.wait(90)
            return super().get_scoped_config()

    thread = threading.Thread(target=lambda: Scope(Slow()).session)
    thread.start()
    try:
        assert looking.wait(30)
        assert in_child(lambda: provider.load().access_key).startswith("ASIA")
    finally:
        go_on.set()
        thread.join(30)


def test_child_keeps_credentials_and_opens_a_connection(provider):
    credentials = provider.load()
    key = credentials.access_key
    assert in_child(lambda: credentials.access_key) == key

    def refreshed():
        credentials.refresh()
        return credentials.access_key

    children = {in_child(refreshed), in_child(refreshed)}
    assert len({key, *children}) == 3


def test_a_child_does_not_inherit_a_wait(clock):
    source = Source(clock)
    refresher = Refresher("custom-test", source, clock, lambda: 300)
    served(refresher)
    clock.advance(3400)
    source.error = OSError("network")
    served(refresher)
    source.error = None
    assert served(refresher) == "AKIA1"
    assert in_child(lambda: served(refresher)) == "AKIA3"

    def rejected():
        refresher.invalidate("AKIA1")
        return served(refresher)

    assert in_child(rejected) == "AKIA3"


def test_a_child_keeps_to_a_wait_of_its_own(clock):
    source = Source(clock)
    refresher = Refresher("custom-test", source, clock, lambda: 300)
    served(refresher)
    clock.advance(3400)

    def attempts():
        source.error = OSError("network")
        return [served(refresher) for _ in range(3)] == ["AKIA1"] * 3 and source.calls

    assert in_child(attempts) == "2"


def test_child_needs_no_lock_of_its_parent(provider):
    credentials = provider.load()
    first, refresher = credentials.access_key, credentials._refresher

    def renewed():
        provider.invalidate()
        return credentials.access_key

    with (
        refresher._lock.get(),
        clients._creation.get(),
    ):
        second = in_child(renewed)
    assert second.startswith("ASIA")
    assert second != first


def test_children_forked_before_the_first_load_resolve(aws, config):
    """As under gunicorn with ``preload_app``, where the application makes its session early."""
    config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}\n")
    botocore_ext.install()
    session = botocore.session.Session(profile="endpoint")
    keys = in_children(*[lambda: session.get_credentials().access_key] * 4)
    assert all(key.startswith("ASIA") for key in keys)
    assert len(set(keys)) == 4


@pytest.mark.caller_signs
def test_children_use_the_session_that_their_parent_used(provider, aws):
    """As under gunicorn with ``preload_app``, where the application makes a request early."""
    session = Session(credentials=provider, region_name="eu-west-1")
    session.client("sts").get_caller_identity()

    def works():
        client = session.client("sts")
        session.get_credentials().refresh()
        return client.get_caller_identity()["Account"]

    assert in_children(*[works] * 4) == ["123456789012"] * 4
    assert aws.operations().count("AssumeRoleWithWebIdentity") == 5


def test_children_never_get_the_answers_of_each_other(provider, aws):
    """With an inherited connection some of the answers would cross."""

    def of_token(request):
        answer = aws.sts(request)
        number = request.parameters["WebIdentityToken"].split("-")[1]
        answer.body = answer.body.replace(request.gave.encode(), f"ASIA{number:>016}".encode())
        return answer

    aws.always("AssumeRoleWithWebIdentity", of_token)
    credentials = provider.load()
    credentials.get_frozen_credentials()  # the parent has used its client
    tokens = [fakes.secret("token") for _ in range(2)]

    rounds = effort.rounds(50, 200)

    def fetches(token):
        provider.web_identity_token = token
        expected = f"ASIA{token.split('-')[1]:>016}"
        right = 0
        for _ in range(rounds):
            credentials.refresh()
            right += credentials.access_key == expected
        return right

    works = [lambda token=token: fetches(token) for token in tokens]
    assert in_children(*works) == [str(rounds)] * 2
    assert len(aws.requests) == 2 * rounds + 1


def access_key_of(provider):
    return provider.load().access_key


def test_a_worker_of_multiprocessing_may_be_forked(provider):
    credentials = provider.load()
    key = credentials.access_key
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe()
    worker = context.Process(target=lambda: writer.send(access_key_of(provider)))
    worker.start()
    assert reader.poll(30)
    assert reader.recv() == key
    worker.join(30)
    assert worker.exitcode == 0


def test_provider_is_pickled_for_a_spawned_worker(provider, aws):
    """It is bound again there: credentials, clients and locks do not travel."""
    key = access_key_of(provider)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(access_key_of, [provider]).get(60) not in ("", key)
    assert len(aws.requests) == 2
    assert len({one.parameters["WebIdentityToken"] for one in aws.requests}) == 1
