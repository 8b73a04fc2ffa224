"""Associations with a meter, without sockets: who gets in, what they may, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live.protocols.dlms import ciphering
from heptagrid.live.protocols.dlms.acse import Context, Mechanism
from heptagrid.live.protocols.dlms.association import Association, Counters, Rules
from heptagrid.live.protocols.dlms.data import MalformedError, Reader
from heptagrid.live.protocols.dlms.section import Parameters
from tests.live.dlms_client import (
    ALL,
    KEYS,
    PASSWORD,
    REGISTER,
    RULES,
    TITLE,
    Client,
    aarq,
    ber,
    get,
    initiate,
    meter,
    target,
)

NOT_ASSOCIATED = b"\xd8\x01\x01"
RELEASE = b"\x62\x03\x80\x01\x00"
IMPORT = b"\xc4\x01\xc1\x00\x06\x00\x06\x1b\x7a"
"""400,250 Wh."""


def association(rules: Rules = RULES, counters: Counters | None = None) -> Association:
    return Association(rules, meter(counters), 1)


def accepted(answer: bytes) -> bool:
    return answer[0] == 0x61 and b"\xa2\x03\x02\x01\x00" in answer


def diagnostic(answer: bytes) -> int:
    return answer[answer.index(b"\xa3\x05\xa1\x03\x02\x01") + 6]


def opened(mechanism: int = Mechanism.GMAC, counters: Counters | None = None, **how: object) -> Client:
    """A client with an open ciphered association."""
    client = Client(association(counters=counters), **how)  # type: ignore[arg-type]
    answer = client.associate(mechanism)
    assert accepted(answer)
    if mechanism == Mechanism.GMAC:
        assert client.prove(answer)[:4] == b"\xc7\x01\xc1\x00"
    return client


def test_nothing_is_answered_before_an_association() -> None:
    one = association()
    assert one.receive(REGISTER).reply == NOT_ASSOCIATED
    assert one.receive(RELEASE).reply == NOT_ASSOCIATED
    assert one.receive(b"\xc8\x05" + bytes(5)).reply == NOT_ASSOCIATED


def test_without_security_a_client_reads_and_does_not_write() -> None:
    one = association()
    assert accepted(one.receive(aarq()).reply)
    assert one.receive(REGISTER).reply == IMPORT
    clock = b"\xc1\x01\xc1" + target(8, "0.0.1.0.0.255", 2) + b"\x00\x09\x0c" + bytes(12)
    assert one.receive(clock).reply == b"\xc5\x01\xc1\x03"
    assert one.receive(RELEASE).reply == b"\x63\x03\x80\x01\x00"
    assert one.receive(REGISTER).reply == NOT_ASSOCIATED


@pytest.mark.parametrize(("password", "is_right"), [(PASSWORD, True), (b"87654321", False), (b"", False)])
def test_a_password_opens_and_a_wrong_one_does_not(password: bytes, is_right: bool) -> None:
    one = association()
    answer = one.receive(aarq(mechanism=Mechanism.PASSWORD, value=password)).reply
    assert accepted(answer) == is_right
    assert diagnostic(answer) == (0 if is_right else 13)
    assert (one.receive(REGISTER).reply == IMPORT) == is_right


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("dedicated", [b"", bytes(range(16, 32))])
@pytest.mark.parametrize("control", [0x10, 0x30])
def test_both_forms_of_ciphering_under_both_keys(general: bool, dedicated: bytes, control: int) -> None:
    client = opened(general=general, dedicated=dedicated, control=control)
    assert client.ask(REGISTER) == IMPORT
    assert client.ask(get(3, "1.0.32.7.0.255", 3)) == b"\xc4\x01\xc1\x00\x02\x02\x0f\xff\x16\x23"


def test_before_it_has_proved_itself_a_client_gets_nothing() -> None:
    client = Client(association())
    answer = client.associate()
    assert accepted(answer) and diagnostic(answer) == 14
    assert client.ask(REGISTER) == NOT_ASSOCIATED
    assert client.prove(answer)[3] == 0
    assert client.ask(REGISTER) == IMPORT


def test_a_wrong_proof_ends_the_association() -> None:
    client = Client(association())
    answer = client.associate()
    wrong = answer.replace(b"\xaa\x12\x80\x10", b"\xaa\x12\x80\x10" + bytes(16))
    assert client.prove(wrong)[3] == 250
    assert client.ask(REGISTER) == NOT_ASSOCIATED


def test_the_meter_proves_itself_too() -> None:
    client = Client(association())
    reply = client.prove(client.associate(challenge=b"12345678"))
    assert reply[:8] == b"\xc7\x01\xc1\x00\x01\x00\x09\x11"
    assert ciphering.proves(KEYS, meter().title, reply[8:], b"12345678")
    assert not ciphering.proves(KEYS, TITLE, reply[8:], b"12345678")


def test_a_replayed_unit_is_refused_and_the_connection_lives() -> None:
    client = opened()
    unit = client.ciphered(REGISTER)
    assert client.plain(client.send(unit).reply) == IMPORT
    again = client.send(unit)
    assert again.refused == "replayed"
    assert again.reply == b"\xd8\x01\x06" + client.counter.to_bytes(4, "big")
    assert client.ask(REGISTER) == IMPORT


def test_a_replayed_association_request_is_refused_also_over_another_connection() -> None:
    counters = Counters()
    client = Client(association(counters=counters), counter=100)
    assert accepted(client.associate(Mechanism.NONE))
    other = Client(association(counters=counters), counter=100)
    assert other.associate(Mechanism.NONE) == b"\xd8\x01\x06" + (101).to_bytes(4, "big")
    assert accepted(other.associate(Mechanism.NONE)), "with the next counter it gets in"


def test_the_counter_can_be_read_by_anybody_so_that_a_client_can_go_on() -> None:
    counters = Counters()
    client = opened(counters=counters, counter=4711)
    client.ask(REGISTER)
    public = Association(replace(RULES, lowest=Mechanism.GMAC), meter(counters), 16)
    public.receive(aarq())
    reply = public.receive(get(1, "0.0.43.1.0.255", 2)).reply
    assert reply == b"\xc4\x01\xc1\x00\x06" + (client.counter - 1).to_bytes(4, "big")


def test_a_changed_byte_another_key_and_another_title_are_refused() -> None:
    client = opened()
    unit = bytearray(client.ciphered(REGISTER))
    unit[-1] ^= 1
    assert client.send(bytes(unit)).reply == b"\xd8\x01\x05"
    foreign = Client(client.association, counter=client.counter, general=True)
    assert foreign.send(foreign.ciphered(REGISTER).replace(TITLE, b"XXX\0\0\0\0\1")).reply == b"\xd8\x01\x05"
    assert client.ask(REGISTER) == IMPORT, "a forged counter does not count"


@pytest.mark.parametrize("control", [0x00, 0x20, 0x70, 0xB0, 0x31])
def test_units_without_authentication_and_of_other_suites_are_refused(control: int) -> None:
    client = opened()
    unit = client.ciphered(REGISTER)
    at = 2 if unit[1] < 0x80 else 3
    assert client.send(unit[:at] + bytes((control,)) + unit[at + 1 :]).refused == "not deciphered"


def test_a_plain_request_in_a_ciphered_association_is_refused() -> None:
    assert opened().send(REGISTER).reply == NOT_ASSOCIATED


def test_a_client_with_the_meters_own_title_is_refused() -> None:
    one = association()
    information = Client(one)._sealed(33, initiate(), KEYS, 0, general=False)
    answer = one.receive(aarq(Context.CIPHERED, Mechanism.GMAC, b"12345678", information, meter().title)).reply
    assert not accepted(answer) and diagnostic(answer) == 3


def test_contexts_and_mechanisms_that_are_not_there_are_named() -> None:
    one = association()
    assert diagnostic(one.receive(aarq(context=2)).reply) == 2
    assert diagnostic(one.receive(aarq(mechanism=2, value=PASSWORD)).reply) == 11


@pytest.mark.parametrize(
    ("proposed", "why"),
    [(initiate(version=5), 1), (initiate(conformance=1), 2), (initiate(longest=11), 3), (initiate(key=bytes(16)), 0)],
)
def test_an_initiation_is_refused_with_its_reason(proposed: bytes, why: int) -> None:
    answer = association().receive(aarq(information=proposed)).reply
    assert not accepted(answer) and answer.endswith(bytes((14, 1, 6, why)))


def test_below_the_lowest_security_only_names_clock_and_counters_are_read() -> None:
    one = Association(replace(RULES, lowest=Mechanism.GMAC), meter(), 16)
    assert accepted(one.receive(aarq(mechanism=Mechanism.PASSWORD, value=PASSWORD)).reply)
    assert one.receive(REGISTER).reply == b"\xc4\x01\xc1\x01\x03"
    assert one.receive(get(1, "0.0.42.0.0.255", 2)).reply[3] == 0
    objects = Reader(one.receive(get(15, "0.0.40.0.0.255", 2)).reply[4:]).value()
    assert {entry[0] for entry in objects} == {1, 8, 15, 17}


def test_others_can_reach_a_grid_only_with_keys_of_its_own_and_ciphered() -> None:
    with pytest.raises(UsageError, match="keys that everybody knows"):
        Parameters().rules(is_reachable=True)
    own = Parameters(encryption_key="11" * 16, authentication_key="22" * 16).rules(is_reachable=True)
    assert own.lowest is Mechanism.GMAC and own.must_cipher
    with pytest.raises(UsageError, match="32 hexadecimal digits"):
        Parameters(encryption_key="11" * 15).rules(is_reachable=False)


def test_the_longest_answer_to_an_association_has_a_length_of_one_byte() -> None:
    """Clients that know short lengths alone could not read it otherwise."""
    client = Client(association(), dedicated=bytes(16))
    assert len(client.associate(challenge=bytes(range(64)))) < 0x80


def test_lengths_of_several_bytes_in_a_request_are_read() -> None:
    plain = aarq()
    assert accepted(association().receive(b"\x60\x81" + plain[1:]).reply)
    assert accepted(association().receive(b"\x60\x82\x00" + plain[1:]).reply)


def test_a_refused_association_leaves_nothing_open() -> None:
    one = association()
    assert accepted(one.receive(aarq(mechanism=Mechanism.PASSWORD, value=PASSWORD)).reply)
    assert not accepted(one.receive(aarq(mechanism=Mechanism.PASSWORD, value=b"wrong")).reply)
    assert one.receive(REGISTER).reply == NOT_ASSOCIATED


def test_a_ciphered_release_must_be_from_the_client() -> None:
    client = opened()
    information = client._sealed(33, initiate(), KEYS, client.counter, general=False)
    forged = information[:-1] + bytes((information[-1] ^ 1,))
    assert client.send(b"\x62" + ber(0, b"\x80\x01\x00" + ber(0xBE, ber(4, forged)))[1:]).reply == b"\xd8\x01\x05"
    assert client.ask(REGISTER) == IMPORT
    client.counter += 1
    information = client._sealed(33, initiate(), KEYS, client.counter, general=False)
    answer = client.send(b"\x62" + ber(0, b"\x80\x01\x00" + ber(0xBE, ber(4, information)))[1:]).reply
    assert answer[0] == 0x63
    assert client.send(REGISTER).reply == NOT_ASSOCIATED


def test_what_is_no_unit_is_malformed_and_changes_nothing() -> None:
    one = association()
    one.receive(aarq())
    for raw in (b"", b"\x00", b"\x60", b"\xc0\x01", REGISTER[:-1], REGISTER + b"\x00", b"\x60\x84\xff\xff\xff\xff"):
        with pytest.raises(MalformedError):
            one.receive(raw)
    assert one.receive(REGISTER).reply == IMPORT
    assert ALL & 1 << 4
