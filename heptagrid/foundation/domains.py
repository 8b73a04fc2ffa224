"""The seven domains of the smart grid and the eleven kinds of messages between them, numbered once."""

from enum import IntEnum


class Domain(IntEnum):
    """A domain of the smart grid's conceptual model (NIST SP 1108), in the order of every 7x7 table."""

    GENERATION = 0
    TRANSMISSION = 1
    DISTRIBUTION = 2
    CUSTOMERS = 3
    OPERATIONS = 4
    MARKETS = 5
    PROVIDERS = 6


class Kind(IntEnum):
    """What a message is."""

    METER_READING = 0
    TELEMETRY = 1
    DISPATCH = 2
    BID = 3
    SCHEDULE = 4
    PRICE = 5
    SETPOINT = 6
    ALARM = 7
    BILL = 8
    ACK = 9
    FIRMWARE = 10


DOMAIN_NAMES = tuple(domain.name.lower() for domain in Domain)
KIND_NAMES = tuple(kind.name.lower() for kind in Kind)
