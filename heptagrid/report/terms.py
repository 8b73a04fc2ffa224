"""The field's terms on a page: each is explained at its first use, under the pointer, and in a list at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from heptagrid.report.words import text

TERMS: tuple[tuple[str, str, str], ...] = (
    (
        "arm",
        r"arms?",
        "One of the two runs of the same days. The conventional arm has yearly meter reading, a flat tariff and local control; the "
        "smart arm has the same people, weather and devices, with meters that report, prices, and an aggregator.",
    ),
    ("supply voltage", r"supply voltages?", "The voltage at a customer's connection, per unit of its rated voltage."),
    ("pu", r"pu", "Per unit: a value divided by its rated value."),
    ("loading", r"loadings?", "Current or power as a percentage of what a line or transformer may carry all the time."),
    ("requirement", r"requirements?", "Which share of an application's messages must arrive within which time."),
    ("deadline", r"deadlines?", "The time within which a message must arrive; after it the message is late."),
    (
        "access network",
        r"access networks?",
        "The network between the customers' meters and gateways and a concentrator or base station.",
    ),
    ("backhaul", r"backhaul", "The link from a concentrator in a substation to the hub of the wide-area network."),
    (
        "wide-area network",
        r"wide-area network|WAN",
        "The network between the hub, operations, the market and the service providers.",
    ),
    ("set-point", r"set-points?", "A value that a device is told to keep, or a plan that it is told to follow."),
    ("last gasp", r"last gasps?", "The last message of a meter that has lost its supply, sent from a capacitor."),
    (
        "estimated read",
        r"(?:reads? )?estimated(?: reads?)?",
        "A value that operations puts in place of a meter reading that did not arrive.",
    ),
    ("aggregator", r"aggregators?", "A service provider that moves the consumption of customers' devices in time."),
    ("day-ahead", r"day-ahead", "The auction in which the energy of the next day is bought hour by hour."),
    (
        "local market",
        r"local markets?",
        "An auction below a substation into which customers' devices bid, every few minutes, for what its transformers carry.",
    ),
    (
        "congestion surplus",
        r"congestion surplus",
        "What customers paid for a local market's price above the grid's less what they were paid; it goes to distribution.",
    ),
    (
        "loss surplus",
        r"loss surplus",
        "What buyers pay, at prices by bus, for one MWh more that is lost in transmission beyond what units get for all that is lost; it goes to transmission.",
    ),
    ("imbalance", r"imbalance", "Energy drawn beyond, or short of, what was bought day-ahead."),
    ("flexibility", r"flexibility", "Consumption that a device moves on request, counted against a stated baseline."),
    (
        "the state",
        r"the state",
        "Receives taxes and levies and pays feed-in premiums; none of the seven domains. What it receives less is no gain of all together.",
    ),
    ("net benefit", r"net benefits?", "What a domain received less what it paid, smart arm minus conventional arm."),
    (
        "net present value",
        r"net present values?",
        "The sum of costs and benefits over the years, each discounted to today.",
    ),
)
"""Term, pattern, explanation; as in docs/glossary.md."""

_TAG = re.compile(r"(<[^>]*>)")
_OPAQUE = ("svg", "style", "script", "title", "code", "abbr", "summary", "h1")
_WORD = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")


def explained(body: str) -> str:
    """The page's body with each term's first use in running text marked and explained, and a list of these terms at its end."""
    meanings = {name: meaning for name, _, meaning in TERMS}
    left = {name: pattern for name, pattern, _ in TERMS}
    sought = _any_of(left)
    parts = _TAG.split(body)
    depth = 0
    for k, part in enumerate(parts):
        if k % 2:
            depth += _deeper(part)
        elif depth == 0 and left and sought.search(part):
            parts[k] = _marked(part, left, meanings)
            sought = _any_of(left)
    used = [name for name, _, _ in TERMS if name not in left]
    items = "".join(f"<dt>{text(name)}</dt><dd>{text(meanings[name])}</dd>" for name in used)
    terms = f'<section id="terms"><h2>Terms</h2><dl class="meanings">{items}</dl></section>' if used else ""
    return "".join(parts) + terms


def _any_of(left: Mapping[str, str]) -> re.Pattern[str]:
    """What finds any of the terms, each in a group that bears its place in the mapping."""
    return re.compile(rf"(?<![\w-])(?:{'|'.join(f'({one})' for one in left.values())})(?![\w-])", re.IGNORECASE)


def _deeper(tag: str) -> int:
    """By how much a tag opens (1) or closes (-1) an element whose text is left as it is."""
    found = _WORD.match(tag)
    if found is None or found[1].lower() not in _OPAQUE or tag.endswith("/>"):
        return 0
    return -1 if tag.startswith("</") else 1


def _marked(words: str, left: dict[str, str], meanings: Mapping[str, str]) -> str:
    """A text node with the terms that it uses first marked; they are taken out of `left`."""
    names = list(left)
    marked, end = [], 0
    for match in _any_of(left).finditer(words):
        name = names[(match.lastindex or 1) - 1]
        if name in left:
            del left[name]
            marked.append(f'{words[end : match.start()]}<abbr title="{text(meanings[name])}">{match[0]}</abbr>')
            end = match.end()
    return "".join(marked) + words[end:]
