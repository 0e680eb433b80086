"""What sessions share of botocore's loader: nobody but an inner client may notice."""

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.loaders import JSONFileLoader, Loader
from botocore.regions import EndpointResolver

from botocore_ext import Scope
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
    monkeypatch.setattr(service_data, "_shared", service_data._BuiltIn())
    return found


def make(session, service="sts"):
    return Scope(session, outer_region="eu-west-1").client(service, None)


def loader_of(session):
    return session.get_component("data_loader")


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_made_without_botocores_reading(reads, service):
    session = botocore.session.Session()
    client = make(session, service)
    assert client.meta.endpoint_url == f"https://{service}.eu-west-1.amazonaws.com"
    assert not reads


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
def test_what_is_read_is_what_botocore_reads(service, kind):
    assert service_data._shared.load_service_model(service, kind) == Loader().load_service_model(
        service, kind
    )


@pytest.fixture
def parsed(monkeypatch, reads):
    """Collect what is parsed for all sessions."""
    found = []
    load = service_data._PlainObjects.load_file
    monkeypatch.setattr(
        service_data._PlainObjects,
        "load_file",
        lambda self, path: found.append(path) or load(self, path),
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
    assert model is not service_data._shared.load_service_model("sts", "service-2")


def endpoints_of(loader):
    return EndpointResolver(loader.load_data("endpoints"))


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
    ours = service_data.sharing_loader(Loader()).load_data("endpoints")
    assert ours.keys() == whole.keys()
    for their_partition, partition in zip(whole["partitions"], ours["partitions"], strict=True):
        services = partition["services"]
        assert type(services) is not dict
        for name, expected in their_partition["services"].items():
            assert services[name] == expected
            assert services[name] is services[name]
        assert [*services] == [*their_partition["services"]]
        assert len(services) == len(their_partition["services"])
        assert "nothing" not in services
        assert {**partition, "services": None} == {**their_partition, "services": None}


_SERVICES = '\n    "services" : {'
#: Each is the text of botocore's file, in another layout.
LAYOUTS = {
    "on one line": lambda text: json.dumps(json.loads(text)),
    "without partitions": lambda _: '{"partitions": []}',
    "a partition without services": lambda text: text.replace(
        '  } ],\n  "version"', '  }, {\n    "partition" : "more"\n  } ],\n  "version"'
    ),
    "services twice": lambda text: text.replace(
        _SERVICES, _SERVICES + '\n    }, "services" : {', 1
    ),
    "a shorter line within services": lambda text: (
        text.partition(_SERVICES)[0]
        + _SERVICES
        + text.partition(_SERVICES)[2].replace("\n      }", "\n    }", 1)
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_in_another_layout_everything_is_parsed(layout):
    original = raw_text()
    text = LAYOUTS[layout](original)
    assert text != original
    parsed = service_data.endpoints_from(text)
    assert parsed == json.loads(text)
    assert all(type(one.get("services", {})) is dict for one in parsed["partitions"])


class TestLeftAlone:
    """A loader that may read something else is asked as ever."""

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
        (tmp_path / "sts").mkdir()
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
