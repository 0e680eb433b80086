"""What sessions share of botocore's data: no session sees what another one writes."""

import contextlib
import copy
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import botocore.session
import pytest
from boto3.exceptions import ResourceNotExistsError
from botocore.awsrequest import AWSResponse
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader
from botocore.regions import EndpointResolver

from botocore_ext import FrozenCredentials, Scope, Session
from botocore_ext.aws import service_data

SERVICES = ["sts", "cognito-identity"]


@pytest.fixture
def reads(monkeypatch):
    """Count what is read by botocore's own loader."""
    found = []
    load = JSONFileLoader.load_file

    def counted(self, path):
        found.append(path)
        return load(self, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", counted)
    service_data.reset()
    return found


def make(session, service="sts"):
    return Scope(session, outer_region="eu-west-1").client(service, None)


def loader_of(session):
    return session.get_component("data_loader")


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_created_without_botocores_reading(reads, service):
    session = botocore.session.Session()
    client = make(session, service)
    assert client.meta.endpoint_url == f"https://{service}.eu-west-1.amazonaws.com"
    assert not reads


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
def test_what_is_read_is_what_botocore_reads(service, kind):
    loader = service_data.sharing_loader(Loader())
    assert loader.load_service_model(service, kind) == Loader().load_service_model(service, kind)


@pytest.fixture
def parsed(monkeypatch, reads):
    """Collect what is parsed for all sessions."""
    found = []
    read = service_data._PlainObjects.read
    monkeypatch.setattr(
        service_data._PlainObjects,
        "read",
        lambda self, path: found.append(path) or read(self, path),
    )
    return found


def test_the_data_is_parsed_once(parsed):
    for _ in range(2):
        make(botocore.session.Session())
    assert len([path for path in parsed if path.endswith("/endpoints")]) == 1
    assert len(parsed) == len(set(parsed))


def test_endpoints_of_a_session_are_parsed_once(parsed):
    session = botocore.session.Session()
    signing = {"aws_access_key_id": "A", "aws_secret_access_key": "s"}
    session.create_client("s3", region_name="eu-west-1", **signing)
    make(session)
    assert parsed
    assert not [path for path in parsed if path.endswith("/endpoints")]


def test_the_loader_of_the_session_is_left_as_it_was(reads):
    session = botocore.session.Session()
    before = dict(vars(loader_of(session)))
    make(session)
    assert vars(loader_of(session)) == before
    assert loader_of(session)._cache == {}
    model = loader_of(session).load_service_model("sts", "service-2")
    assert reads
    sharing = service_data.sharing_loader(loader_of(session))
    assert model is not sharing.load_service_model("sts", "service-2")


def endpoints_of(loader):
    return EndpointResolver(loader.load_data_with_path("endpoints")[0])


def test_endpoints_of_two_loaders_are_two():
    """What botocore looks up there, it writes into."""
    one, other = (endpoints_of(service_data.sharing_loader(Loader())) for _ in range(2))
    one.get_service_endpoints_data("sts")["eu-west-1"]["hostname"] = "changed"
    assert other.get_service_endpoints_data("sts")["eu-west-1"].get("hostname") != "changed"
    later = endpoints_of(service_data.sharing_loader(Loader()))
    assert later.get_service_endpoints_data("sts")["eu-west-1"].get("hostname") != "changed"


@pytest.mark.parametrize("service", ["sts", "ec2", "iam", "nothing"])
def test_the_endpoints_are_those_that_botocore_reads(service):
    plain, ours = endpoints_of(Loader()), endpoints_of(service_data.sharing_loader(Loader()))
    for partition in plain.get_available_partitions():
        known = [one.get_available_endpoints(service, partition) for one in (plain, ours)]
        assert known[0] == known[1]
    for arguments in ({}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}):
        built = [one.construct_endpoint(service, "us-east-1", **arguments) for one in (plain, ours)]
        assert built[0] == built[1]


def raw_text():
    """Return what is in the file: botocore writes into what its loader has cached."""
    return Path(Loader.BUILTIN_DATA_PATH, "endpoints.json").read_text(encoding="utf-8")


def test_every_service_is_parsed_as_by_botocore():
    """Each by itself; this fails where a new version of botocore has another layout."""
    whole = json.loads(raw_text())
    ours, _ = service_data.sharing_loader(Loader()).load_data_with_path("endpoints")
    assert ours.keys() == whole.keys()
    for their_partition, partition in zip(whole["partitions"], ours["partitions"], strict=True):
        services = partition["services"]
        assert type(services) is not dict or not services
        for name, expected in their_partition["services"].items():
            assert services[name] == expected
            assert services[name] is services[name]
        assert [*services] == [*their_partition["services"]]
        assert len(services) == len(their_partition["services"])
        assert "nothing" not in services
        assert {**partition, "services": None} == {**their_partition, "services": None}


def test_programs_get_plain_objects():
    """They dump and change them; what they change is what botocore uses, as in botocore."""
    loader, other = (service_data.sharing_loader(Loader()) for _ in range(2))
    resolver = endpoints_of(loader)
    sqs = resolver.get_service_endpoints_data("sqs")
    endpoints = loader.load_data("endpoints")
    services = endpoints["partitions"][0]["services"]
    assert json.loads(json.dumps(endpoints)) == json.loads(raw_text())
    assert services["sqs"]["endpoints"] is sqs
    services["more"] = {"endpoints": {"eu-west-1": {}}}
    assert resolver.get_available_endpoints("more") == ["eu-west-1"]
    assert loader.load_data("endpoints") is endpoints
    assert "more" not in other.load_data("endpoints")["partitions"][0]["services"]


@pytest.mark.parametrize("name", ["endpoints", "partitions"])
def test_inner_clients_share_what_was_parsed(name):
    service_data.reset()  # botocore writes into it
    loader = service_data.sharing_loader(Loader())
    one, other = (service_data.sharing_loader(own, is_inner=True) for own in (Loader(), loader))
    assert one.load_data_with_path(name)[0] is other.load_data_with_path(name)[0]
    assert one.load_data_with_path(name) == loader.load_data_with_path(name)
    assert one.load_data_with_path(name)[0] is not loader.load_data_with_path(name)[0]


def test_endpoints_of_the_users_own_are_as_they_are(tmp_path):
    """As in ``AWS_DATA_PATH``."""
    (tmp_path / "endpoints.json").write_text(text := '{"partitions": [{"partition": "aws"}]}')
    own = Loader()
    own.search_paths.insert(0, str(tmp_path))
    assert service_data.sharing_loader(own).load_data("endpoints") == json.loads(text)


_SERVICES = '\n    "services" : {\n'
#: Each is the text of botocore's file, in another layout.
LAYOUTS = {
    "on one line": lambda text: json.dumps(json.loads(text)),
    "no end of the services": lambda text: text.replace("\n    }\n", "\n    } \n"),
    "without partitions": lambda _: '{"partitions": []}',
    "services twice": lambda text: text.replace(
        _SERVICES, _SERVICES + '    }\n    , "services" : {\n', 1
    ),
}


MORE = ['"partition" : "more"', '"partition" : "more",\n    "services" : { }']


@pytest.mark.parametrize("partition", MORE)
def test_a_partition_without_services_is_as_it_is(partition):
    """As it is the last one of older versions of botocore."""
    end = '  } ],\n  "version"'
    text = raw_text().replace(end, f"  }}, {{\n    {partition}\n{end}")
    parsed = service_data.Endpoints(text.encode()).parse()
    assert len(parsed["partitions"]) == len(json.loads(raw_text())["partitions"]) + 1
    assert parsed == json.loads(text)


def test_a_shorter_line_within_services_does_not_end_them():
    before, begin, services = raw_text().partition(_SERVICES)
    text = before + begin + services.replace("\n      }", "\n    }\n", 1)
    assert service_data.Endpoints(text.encode()).parse() == json.loads(text)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_in_another_layout_everything_is_parsed(layout):
    original = raw_text()
    text = LAYOUTS[layout](original)
    assert text != original
    parsed = service_data.Endpoints(text.encode()).parse()
    assert parsed == json.loads(text)
    assert all(type(one.get("services", {})) is dict for one in parsed["partitions"])


def write_model(folder, version):
    """Write a model of STS, as it may be in ``AWS_DATA_PATH``."""
    model = Loader().load_service_model("sts", "service-2")
    text = json.dumps({**model, "metadata": {**model["metadata"], "apiVersion": version}})
    (folder / "sts" / version).mkdir(parents=True)
    (folder / "sts" / version / "service-2.json").write_text(text)


class TestLeftAlone:
    """A loader that may read something else is called as in botocore."""

    @pytest.fixture
    def session(self):
        return botocore.session.Session()

    def check(self, session, reads):
        make(session)
        assert [path for path in reads if path.endswith("sts/2011-06-15/service-2")]

    def test_another_class(self, session, reads):
        class Mine(Loader):
            pass

        session.register_component("data_loader", Mine())
        self.check(session, reads)

    def test_another_file_loader(self, session, reads):
        class Mine(JSONFileLoader):
            pass

        loader_of(session).file_loader = Mine()
        self.check(session, reads)

    def test_a_method_that_was_replaced(self, session, reads):
        loader = loader_of(session)
        loader.list_available_services = lambda type_name: ["sts"]
        self.check(session, reads)

    def test_other_extras(self, session, reads):
        session.register_component("data_loader", Loader(include_default_extras=False))
        self.check(session, reads)

    def test_a_search_path_with_the_same_service(self, session, reads, tmp_path):
        write_model(tmp_path, "2011-06-15")
        loader_of(session).search_paths.append(str(tmp_path))
        self.check(session, reads)

    def test_a_search_path_with_its_own_endpoints(self, session, reads, tmp_path):
        (tmp_path / "endpoints.json").write_text('{"partitions": []}')
        loader_of(session).search_paths.insert(0, str(tmp_path))
        make(session)
        assert loader_of(session).load_data("endpoints") == {"partitions": []}
        assert str(tmp_path / "endpoints") in reads

    def test_a_loader_without_botocores_own_data(self, session, reads, tmp_path):
        session.register_component(
            "data_loader",
            Loader([str(tmp_path)], include_default_search_paths=False),
        )
        with pytest.raises(Exception, match="endpoints"):
            make(session)


def test_requested_api_version_is_read(config):
    config("[default]\napi_versions =\n    sts = 2011-06-15\n")
    assert make(botocore.session.Session()).meta.service_model.api_version == "2011-06-15"


class TestSession:
    """The clients of a ``botocore_ext.Session`` share what botocore read."""

    @pytest.fixture
    def make_session(self):
        def make():
            keys = FrozenCredentials("AKIA", "secret")
            return Session(credentials=lambda: keys, region_name="eu-west-1")

        return make

    def test_a_second_session_reads_nothing_of_a_service_again(self, parsed, make_session):
        make_session().client("s3")
        found = len(parsed)
        client = make_session().client("s3")
        assert len(parsed) == found > 0
        assert client.meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"

    def test_the_services_are_those_of_boto3(self, make_session):
        ours, plain = make_session(), boto3.Session()
        assert ours.get_available_services() == plain.get_available_services()
        assert ours.get_available_resources() == plain.get_available_resources()
        assert ours.get_available_regions("s3") == plain.get_available_regions("s3")

    def test_resources_and_unknown_services_are_those_of_boto3(self, make_session):
        session = make_session()
        assert session.resource("s3").Bucket("b").name == "b"
        with pytest.raises(UnknownServiceError):
            session.client("nothing")
        for name in ("nothing", "sts"):
            with pytest.raises(ResourceNotExistsError):
                session.resource(name)

    def test_a_model_of_the_users_own_is_used(self, make_session, tmp_path):
        """As in ``AWS_DATA_PATH`` or ``~/.aws/models``; also if boto3 has a path added later."""
        write_model(tmp_path, "2099-01-01")
        make_session().client("sts")
        session = make_session()
        session._session.get_component("data_loader").search_paths.append(str(tmp_path))
        assert session.client("sts").meta.service_model.api_version == "2099-01-01"
        assert make_session().client("sts").meta.service_model.api_version != "2099-01-01"

    def test_only_inner_clients_have_what_botocore_lacks(self, make_session):
        session = make_session()
        assert hasattr(make(session._session, "rolesanywhere"), "create_session")
        assert not hasattr(session.client("rolesanywhere"), "create_session")

    def test_a_session_of_the_caller_keeps_its_loader(self):
        given = botocore.session.get_session()
        loader = loader_of(given)
        Session(credentials=lambda: FrozenCredentials("AKIA", "s"), botocore_session=given)
        assert loader_of(given) is loader

    def test_what_one_session_changes_in_a_model_is_its_own(self, make_session):
        """Programs add operations and shapes to models."""
        changed, other = make_session(), make_session()
        model = changed._session.get_service_data("sts")
        model["operations"]["More"] = {"name": "More", "http": {"method": "POST"}}
        model["shapes"]["More"] = {"type": "string"}
        assert hasattr(changed.client("sts"), "more")
        assert not hasattr(other.client("sts"), "more")
        assert not hasattr(make_session().client("sts"), "more")
        assert "More" not in other._session.get_service_data("sts")["shapes"]

    def test_threads_never_see_what_other_sessions_write(self, make_session):
        """Botocore writes into endpoints when it looks them up; the outcome stays the same."""
        services = ["sts", "s3", "dynamodb", "sqs"]
        expected = {name: facts(boto3.Session(region_name="eu-west-1"), name) for name in services}
        barrier = threading.Barrier(8)

        def work(number):
            barrier.wait(60)
            session = make_session()
            order = services[number % 4 :] + services[: number % 4]
            return {name: facts(session, name) for name in order}

        with ThreadPoolExecutor(8) as pool:
            for found in pool.map(work, range(8)):
                assert found == expected


def facts(session, service):
    """Return what a client of the service is made of."""
    client = session.client(service)
    resolver = session._session._get_internal_component("endpoint_resolver")
    endpoints = [
        resolver.construct_endpoint(service, region, use_fips_endpoint=fips)
        for region in ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1")
        for fips in (False, True)
    ]
    operations = sorted(client.meta.method_to_api_mapping)
    can_page = [name for name in operations if client.can_paginate(name)]
    return (
        client.meta.endpoint_url,
        operations,
        can_page,
        client.waiter_names,
        json.dumps(endpoints, sort_keys=True),
    )


@pytest.mark.caller_signs
@pytest.mark.parametrize(
    "service",
    [
        *("sts", "s3", "dynamodb", "sqs", "cognito-identity"),
        pytest.param("ec2", marks=pytest.mark.proof),  # has 800 operations
    ],
)
def test_botocore_writes_into_nothing_that_is_shared(service):
    """As it does for S3 into an operation, and for all into partitions and endpoints."""
    session = botocore.session.Session()
    loader = service_data.sharing_loader(loader_of(session))
    session.register_component("data_loader", loader)
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2"):
        with contextlib.suppress(DataNotFoundError):
            loader.load_service_model(service, kind)
    before = copy.deepcopy(shared_models())
    signing = {"aws_access_key_id": "A", "aws_secret_access_key": "s"}
    client = session.create_client(service, region_name="eu-west-1", **signing)
    client.meta.events.register(
        "before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Raw(b"<R/>"))
    )
    for name in client.meta.method_to_api_mapping:
        client.can_paginate(name)
        with contextlib.suppress(Exception):  # for parameters, or what is not in the answer
            getattr(client, name)(**({"Bucket": "b"} if service == "s3" else {}))
    for name in client.waiter_names:
        client.get_waiter(name)
    assert before
    assert {key: shared_models()[key] for key in before} == before


def shared_models():
    return {key: one for key, one in service_data._shared.items() if "load_text" not in key}


class Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()
