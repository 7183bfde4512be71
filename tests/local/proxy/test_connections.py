"""The proxy's connections in front of a real emulator: big bodies, many clients, keep-alive, stopping."""

import socket
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ferryman_local.emulator import Emulator
from ferryman_local.images.oci import push_image
from ferryman_local.proxy import FaultProxy
from local.relay_stage import client

pytest_plugins = ["local.relay_stage"]


@pytest.fixture
def proxy(watched_emulator: Emulator) -> Iterator[FaultProxy]:
    with FaultProxy(watched_emulator.port) as running:
        yield running


def test_the_registry_passes(watched_emulator: Emulator, proxy: FaultProxy, tmp_path: Path) -> None:
    ecr = client(watched_emulator.session(), "ecr", watched_emulator.endpoint)
    name = f"t{uuid.uuid4().hex[:10]}"
    ecr.create_repository(repositoryName=name)
    (tmp_path / "app.bin").write_bytes(uuid.uuid4().bytes * 200_000)

    digest = push_image(proxy.endpoint, name, "v1", tmp_path, cmd=["true"])

    found = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert [image["imageDigest"] for image in found] == [digest]
    assert proxy.count("registry", "PUT") > 0
    manifest = httpx.get(f"{proxy.endpoint}/v2/{name}/manifests/v1").json()
    assert httpx.get(f"{proxy.endpoint}/v2/{name}/blobs/{manifest['layers'][0]['digest']}").status_code == 200


def test_many_clients_share_it(watched_emulator: Emulator, proxy: FaultProxy) -> None:
    clients = [client(watched_emulator.session(), "ecs", proxy.endpoint) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: clients[n % 8].list_clusters(), range(160)))

    assert len(answers) == 160
    assert proxy.count("ecs", "ListClusters", forwarded=True) == 160


def test_one_connection_carries_many_requests_and_expectations(proxy: FaultProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        stream = connection.makefile("rwb")
        for _ in range(3):
            stream.write(b"GET /_ministack/health HTTP/1.1\r\nHost: x\r\n\r\n")
            stream.flush()
            assert stream.readline().startswith(b"HTTP/1.1 200")
            headers = dict(line.split(b": ", 1) for line in iter(stream.readline, b"\r\n"))
            lower = {key.lower(): value for key, value in headers.items()}
            stream.read(int(lower[b"content-length"]))
        stream.write(b"POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        stream.flush()
        assert stream.readline().startswith(b"HTTP/1.1 100")
        stream.close()


def test_stopping_resets_what_hangs_and_frees_the_port(watched_emulator: Emulator) -> None:
    proxy = FaultProxy(watched_emulator.port).start()
    proxy.fault("timeout", times=None)
    gone = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(f"{proxy.endpoint}/_ministack/health", timeout=30)
        except OSError:
            gone.set()

    asking = threading.Thread(target=ask)
    asking.start()
    proxy.wait_for(lambda r: r.path == "/_ministack/health")
    proxy.stop()

    assert gone.wait(5)
    asking.join()
    with FaultProxy(watched_emulator.port, port=proxy.port) as again:
        assert urllib.request.urlopen(f"{again.endpoint}/_ministack/health", timeout=5).status == 200
