"""A receiver's name leads to public addresses, and to others only where its settings name them."""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.delivery.config import ConnectorsConfig
from ingest.delivery.destinations import AddressRefused, Network, require_allowed, written_fault
from ingest.delivery.errors import Unreachable
from ingest.delivery.posting import Posting
from tests.ingest.delivery.receiver import Authority, Receiver, Reply, make_authority

V4 = {  # ranges whose first, last and a middle address are tried
    "0.0.0.0/8": "未指定",
    "10.0.0.0/8": "专用网络",
    "100.64.0.0/10": "运营商级 NAT",
    "127.0.0.0/8": "本机",
    "169.254.0.0/16": "链路本地",
    "172.16.0.0/12": "专用网络",
    "192.0.0.0/24": "保留",
    "192.0.2.0/24": "文档或测试专用",
    "192.88.99.0/24": "过渡隧道",
    "192.168.0.0/16": "专用网络",
    "198.18.0.0/15": "文档或测试专用",
    "198.51.100.0/24": "文档或测试专用",
    "203.0.113.0/24": "文档或测试专用",
    "224.0.0.0/4": "组播或广播",
    "240.0.0.0/5": "保留",
}
V6 = [
    "::", "::1", "::2", "::7f00:1", "::10.1.2.3", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8", "64:ff9b:1:7f00:0:100::", "100::1", "2001::1", "2001:0:808:808::f5ff:fffe",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1",
    "2002:a9fe:a9fe::", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fdff::1",
    "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "ff00::1", "ff02::1", "ff0e::1",
]  # fmt: skip
CLOUD = [
    "169.254.169.254", "169.254.170.2", "169.254.0.23", "100.100.100.200", "192.0.0.192", "168.63.129.16",
    "fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "198.17.255.255", "198.20.0.0",
    "223.5.5.5", "2400:3200::1", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2002:808:808::1",
]  # fmt: skip


def spread(network: str) -> list[str]:
    all_of_it = ip_network(network)
    return [str(all_of_it[at]) for at in (0, all_of_it.num_addresses // 2, -1)]


REFUSED = [*(address for network in V4 for address in spread(network)), "255.255.255.255", *V6, *CLOUD]


def refused(host: str, address: str, *allowed: str) -> AddressRefused | None:
    try:
        require_allowed(host, [ip_address(address)], [ip_network(text) for text in allowed])
    except AddressRefused as error:
        return error
    return None


def test_a_name_that_leads_to_an_address_of_special_use_is_refused_with_what_to_write() -> None:
    """Also beside a public address; what the message says to write allows it."""
    assert len(set(REFUSED)) >= 90
    for address, beside in itertools.product(REFUSED, ([], ["8.8.8.8"])):
        found = [ip_address(each) for each in (*beside, address)]
        with pytest.raises(AddressRefused) as caught:
            require_allowed("inspector.example", found, [])
        text = caught.value.text
        assert text.zh.startswith("inspector.example 的地址是 ")
        assert text.en.startswith("inspector.example is at ")
        (listed,) = re.findall(r'allow_networks = \["(.+)"\]', text.en)
        assert f'allow_networks = ["{listed}"]' in text.zh
        require_allowed("inspector.example", found, [ip_network(listed)])
        assert ip_network(listed).num_addresses == 1


def test_the_message_says_which_use_it_is() -> None:
    for network, why in V4.items():
        assert f"（{why}）" in str(refused("a.example", spread(network)[1]))


def test_public_addresses_need_no_permission() -> None:
    """Those just beside a special range, and of IPv6 those that carry a public IPv4 address, too."""
    assert [address for address in PUBLIC if refused("inspector.example", address)] == []


def test_what_hands_out_credentials_of_a_cloud_must_be_listed_exactly() -> None:
    """Neither a URL that bears it nor a network around it is enough; nor is it hidden in another address."""
    for address in CLOUD:
        exactly = str(ip_network(address))
        around = "fc00::/7" if ":" in address else address.partition(".")[0] + ".0.0.0/8"
        fault = written_fault(address, [])
        assert fault is not None, address
        assert fault.zh.startswith(f"{address}（云主机元数据），"), "the address is said once"
        assert refused(address, address, around) is not None, address
        assert refused("inspector.example", address, around, "fe80::/10") is not None, address
        assert refused("inspector.example", address, exactly) is None, address
        assert refused(address, address, exactly) is None, address
        for hidden in () if ":" in address else (f"::ffff:{address}", f"64:ff9b::{address}", f"64:ff9b:1::{address}"):
            assert refused("inspector.example", hidden, "64:ff9b::/96", "64:ff9b:1::/48", around) is not None, hidden


def test_an_address_in_the_settings_is_permission_for_itself() -> None:
    for host in ("10.1.2.3", "127.0.0.1", "169.254.1.1", "192.168.0.9", "fd12::3", "::1", "8.8.8.8"):
        assert written_fault(host, []) is None, host
        assert refused(host, host) is None, host


UNUSUAL = [
        "2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "10.1",
        "0", "0x", "127.0.0.1.", "2130706433.", "1.2.3.4.5", "256.1.1.1", "127.0.0.0x1", "01.2.3.4", "evil.example.0x1",
        "example.123", "::1%25eth0", "fe80::1%eth0", "%31%32%37.0.0.1", "", ".",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "ff02::1", "::ffff:0.0.0.0",
]  # fmt: skip


def test_a_spelling_that_resolvers_take_for_an_address_is_refused_in_the_settings() -> None:
    assert [host for host in UNUSUAL if written_fault(host, []) is None] == []
    names = ["inspector.example", "localhost", "a1.b2", "0x7f.example", "xn--6krq4q.cn", "x-1"]
    assert [host for host in names if written_fault(host, []) is not None] == []


UNUSUAL_URLS = [
        "https://127.1/hook", "https://0x7f.1/hook", "https://2130706433/hook", "https://127.0.0.1./hook",
        "https://127。1/hook", "https://１２７.0.0.1/hook", "https://0177.0.0.1/", "https://[fe80::1%25eth0]/hook",
        "https://169.254.169.254/latest/meta-data", "https://[fd00:ec2::254]/", "https://100.100.100.200/", "https://0/",
        "https://0.0.0.0/hook", "https://[::]/hook",
]  # fmt: skip


def test_such_a_url_is_a_fault_of_the_settings() -> None:
    for url in UNUSUAL_URLS:
        with pytest.raises(ValidationError):
            ConnectorsConfig.model_validate(settings(url))


def settings(url: str, **more: Any) -> dict[str, Any]:
    return {"webhooks": [{"name": "inspector", "url": url, "secret": {"env": "HOOK_SECRET"}, **more}]}


def test_networks_are_written_as_networks_or_addresses() -> None:
    config = ConnectorsConfig.model_validate(
        settings("https://169.254.169.254/", allow_networks=["10.20.0.0/16", "169.254.169.254", "fd12::/16"])
    )
    assert [str(network) for network in config.webhooks[0].allow_networks] == [
        "10.20.0.0/16",
        "169.254.169.254/32",
        "fd12::/16",
    ]
    for wrong in ("10.20.0.5/16", "0.0.0.0/0", "10.0.0.0/7", "::/0", "fc00::/6", "10.0.0", "intranet", "", 10):
        with pytest.raises(ValidationError, match="a network or an address, such as"):
            ConnectorsConfig.model_validate(settings("https://a.example/", allow_networks=[wrong]))


class Resolver:
    """Answers each question with the next of its answers, and the last one from then on."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked = list[tuple[str, int]]()

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


LOCAL: Sequence[Network] = [ip_network("127.0.0.1/32")]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "inspector", host="inspector.example")


def posting(authority: Authority, resolver: Resolver, allowed: Sequence[Network] = LOCAL) -> Posting:
    return Posting(ssl.create_default_context(cafile=str(authority.ca_file)), allowed, resolver)


async def test_a_name_is_resolved_once_for_a_connection_and_cannot_be_pointed_elsewhere_later(named: Authority) -> None:
    """DNS rebinding: what was checked is what is connected to; the next connection is checked anew."""
    with Receiver(tls=named.server) as receiver:
        resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
        client = posting(named, resolver)
        url = f"https://inspector.example:{receiver.port}/hook"
        for _ in range(2):
            assert (await client.post(url, b"{}", {}, most=100)).status == 200
        assert resolver.asked == [("inspector.example", receiver.port)]  # the connection is reused
        assert receiver.requests[0].headers["host"] == f"inspector.example:{receiver.port}"
        await client.close()
        with pytest.raises(AddressRefused, match=r"inspector\.example is at 127\.0\.0\.2"):
            await client.post(url, b"{}", {}, most=100)
        assert (len(resolver.asked), len(receiver.requests)) == (2, 2)


async def test_the_certificate_must_be_that_of_the_name(named: Authority) -> None:
    """An address that is allowed, and a valid certificate of somebody else: not enough."""
    with Receiver(tls=named.server) as receiver:
        client = posting(named, Resolver(["127.0.0.1"]))
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await client.post(f"https://other.example:{receiver.port}/hook", b"{}", {}, most=100)
        assert receiver.requests == []
        await client.close()


async def test_one_address_that_is_not_allowed_refuses_them_all(named: Authority) -> None:
    with Receiver(tls=named.server) as receiver:
        url = f"https://inspector.example:{receiver.port}/hook"
        for found in (["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"]):
            client = posting(named, Resolver(found))
            with pytest.raises(AddressRefused, match=r'allow_networks = \["10.0.0.1/32"\]'):
                await client.post(url, b"{}", {}, most=100)
        assert receiver.requests == []


async def test_the_next_address_is_tried_when_one_does_not_answer(named: Authority) -> None:
    """Whether it refuses or is silent; `127.0.0.3` has nobody at that port."""
    with Receiver(tls=named.server) as receiver:
        client = posting(named, Resolver(["127.0.0.3", "127.0.0.1"]), [ip_network("127.0.0.0/8")])
        url = f"https://inspector.example:{receiver.port}/hook"
        assert (await client.post(url, b"{}", {}, most=100)).status == 200
        await client.close()
        client = posting(named, Resolver(["127.0.0.3", "127.0.0.4"]), [ip_network("127.0.0.0/8")])
        with pytest.raises(Unreachable, match="no connection: Connection refused"):
            await client.post(url, b"{}", {}, most=100)
        client = posting(named, Resolver([]))
        with pytest.raises(Unreachable, match="no connection"):
            await client.post(url, b"{}", {}, most=100)


async def test_a_redirect_leads_nowhere_and_a_proxy_of_the_environment_is_not_asked(
    named: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.9:9")
    with Receiver(lambda _: Reply(302, {"location": "https://127.0.0.1/secret"}), named.server) as receiver:
        client = posting(named, Resolver(["127.0.0.1"]))
        reply = await client.post(f"https://inspector.example:{receiver.port}/hook", b"{}", {}, most=100)
        assert (reply.status, len(receiver.requests)) == (302, 1)
        await client.close()


async def test_localhost_is_this_machine_whatever_a_resolver_says() -> None:
    with Receiver() as receiver:
        resolver = Resolver(["10.0.0.1"])
        client = Posting(ssl.create_default_context(), (), resolver)
        assert (await client.post(f"http://localhost:{receiver.port}/", b"{}", {}, most=100)).status == 200
        assert resolver.asked == []
        await client.close()


async def test_a_connection_that_is_given_up_leaves_nothing_open() -> None:
    """A socket that nobody closed is a warning, and warnings are errors here."""
    client = Posting(
        ssl.create_default_context(), [ip_network("198.18.0.0/15")], Resolver(["198.18.0.1", "198.18.0.2"])
    )
    with pytest.raises((TimeoutError, Unreachable)):
        async with asyncio.timeout(0.3):
            await client.post("https://nobody.example/", b"{}", {}, most=100)


def test_mapped_addresses_are_allowed_by_their_ipv4_network() -> None:
    assert refused("a.example", "::ffff:10.20.1.1", "10.20.0.0/16") is None
    assert refused("a.example", "::ffff:10.21.1.1", "10.20.0.0/16") is not None
