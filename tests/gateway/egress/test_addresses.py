"""Which resolved addresses may be connected to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microloop_cli.errors import PolicyError
from microloop_cli.gateway.egress.addresses import read_private, refusal

REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.1.1 169.254.169.254
169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::2 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::
2002:a9fe:a9fe::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1 3fff::1 4000::1 5f00::1 fc00::1
fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1
"""
ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
172.15.255.255 172.32.0.0 192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:8.8.8.8
64:ff9b::808:808 2002:808:808::1 2001:200::1 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1
"""


@pytest.mark.parametrize("address", REFUSED.split())
def test_what_is_not_global_unicast_is_refused(address: str) -> None:
    assert refusal(ip_address(address))


@pytest.mark.parametrize("address", ALLOWED.split())
def test_global_unicast_is_not_refused(address: str) -> None:
    assert refusal(ip_address(address)) == ""


@given(st.ip_addresses(v=4))
def test_no_address_that_python_calls_private_gets_through(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert refusal(address)


@given(st.ip_addresses(v=6))
def test_nor_does_any_of_ipv6(address: IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(address)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::", "2606:4700::5efe:0:0"]))
def test_an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself(inner: IPv4Address, prefix: str) -> None:
    wrapped = IPv6Address(int(IPv6Address(prefix)) | int(inner))
    assert bool(refusal(wrapped)) == bool(refusal(inner))
    if prefix == "64:ff9b::":
        six_to_four = IPv6Address((0x2002 << 112) | (int(inner) << 80) | 1)
        assert bool(refusal(six_to_four)) == bool(refusal(inner))


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("10.0.0.5", "10.0.0.5", "10.0.0.6"),
        ("10.0.0.0/8", "10.255.0.1", "192.168.0.1"),
        ("127.0.0.1", "::ffff:127.0.0.1", "::1"),
        ("fd00::/8", "fd12::1", "fc00::1"),
        ("[::1]", "::1", "127.0.0.1"),
        ("169.254.169.254", "169.254.169.254", "169.254.169.253"),
    ],
)
def test_private_allows_what_it_names(entry: str, inside: str, outside: str) -> None:
    private = read_private([entry])
    assert refusal(ip_address(inside), private) == ""
    assert refusal(ip_address(outside), private)


@pytest.mark.parametrize(
    "entry", ["x", "", "10.0.0.1/8", "10.0.0.0/33", "::ffff:10.0.0.1", "fe80::1%eth0", "localhost"]
)
def test_a_bad_private_entry_is_named(entry: str) -> None:
    with pytest.raises(PolicyError, match=r"network\.private: ") as raised:
        read_private([entry])
    assert raised.value.hint


@given(st.text(max_size=30))
def test_any_private_entry_is_a_network_or_a_policy_error(entry: str) -> None:
    try:
        (network,) = read_private([entry])
    except PolicyError:
        return
    assert refusal(network.network_address, [network]) == ""
