"""The page's tables: messages by kind, who pays whom, checks, assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.foundation.domains import DOMAIN_NAMES
from heptagrid.report.domain_picture import money_digits
from heptagrid.report.words import ARM_TITLES, DOMAIN_TITLES, duration, energy_unit, kind_words, number, signed, text


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "", style: str = "") -> str:
    """A table in a container that scrolls by itself; cells are HTML already."""
    top = "".join(f"<th>{one}</th>" for one in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    title = f"<caption>{caption}</caption>" if caption else ""
    return f'<div class="scroll"><table class="{style}">{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def message_table(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    """Latency and delivery of each kind against its deadline."""
    rows = []
    for name, one in kinds.items():
        sent, delivered = one["sent"], one["delivered"]
        share = 100.0 * delivered / sent if sent else None
        late = 100.0 * one["late"] / delivered if delivered else None
        bar = "" if one["p99_s"] is None else _bar_of_deadline(one["p99_s"] / one["deadline_s"])
        rows.append(
            [
                f"<b>{text(kind_words(name))}</b>",
                f"{number(one['wire_bytes'])}",
                number(sent),
                number(share, 2) + ("\u202f%" if share is not None else ""),
                number(one["lost"]),
                number(late, 2) + ("\u202f%" if late is not None else ""),
                duration(one["p50_s"]),
                duration(one["p95_s"]),
                duration(one["p99_s"]),
                duration(one["deadline_s"]),
                bar,
            ]
        )
    head = (
        "kind",
        "bytes",
        "sent",
        "delivered",
        "lost",
        "late",
        "median",
        "95 %",
        "99 %",
        "deadline",
        "99 % of deadline",
    )
    return table(head, rows, style="numbers")


def _bar_of_deadline(ratio: float) -> str:
    """The delay of the slowest hundredth of what arrived, against the deadline: full and red beyond it."""
    style = "met" if ratio <= 1.0 else "missed"
    return f'<span class="meter"><span class="{style}" style="width:{min(100.0, 100.0 * ratio):.1f}%"></span></span>'


def money_table(arm: Mapping[str, Any]) -> str:
    """Who pays whom: rows pay, columns are paid, EUR."""
    matrix, outside = arm["money_eur"]["matrix"], arm["money_eur"]["outside_by_domain"]
    largest = max((value for row in matrix for value in row), default=1.0) or 1.0
    digits = money_digits(arm)
    rows = []
    for k, row in enumerate(matrix):
        cells = [f"<b>{DOMAIN_TITLES[k]}</b>"]
        for value in row:
            shade = 0.0 if value <= 0 else 0.12 + 0.6 * (value / largest) ** 0.5
            cells.append(
                f'<span class="heat" style="--heat:{shade:.2f}">{number(value, digits) if value else "·"}</span>'
            )
        cells.append(signed(outside[k], digits))
        cells.append(f"<b>{signed(arm['money_eur']['by_domain'][k], digits)}</b>")
        rows.append(cells)
    return table(("pays \\ is paid", *DOMAIN_TITLES, "from outside", "balance"), rows, style="numbers matrix")


def reason_table(arm: Mapping[str, Any]) -> str:
    """What was paid for."""
    rows = [
        [text(one["reason"].replace("_", " ")), text(one["payer"]), text(one["payee"]), number(one["amount_eur"], 2)]
        for one in sorted(arm["money_eur"]["by_reason"], key=lambda one: -one["amount_eur"])
    ]
    return table(("for", "paid by", "paid to", "EUR"), rows, style="numbers left3")


def checks_table(arms: Mapping[str, Mapping[str, Any]]) -> str:
    """The three conservation laws in each arm."""
    rows = []
    for name, arm in arms.items():
        energy, messages, money = arm["energy_mwh"], arm["messages"], arm["money_eur"]
        through = energy["generated"] + energy["imported"]
        unit, scale, digits = energy_unit(energy["lost"])
        said = {
            what: number(scale * (abs(value) if what == "stored" else value), digits) for what, value in energy.items()
        }
        good = abs(energy["residual"]) <= 1e-6 * max(through, 1e-9)
        formula = (
            f"{said['generated']} generated + {said['imported']} imported \u2212 {said['exported']} exported = {said['consumed']} consumed + "
            f"{said['lost']} lost {'less' if energy['stored'] < 0 else '+'} {said['stored']} {'taken from' if energy['stored'] < 0 else 'put into'} store"
        )
        residual = f"{scale * energy['residual']:.1e}".replace("-", "\u2212")
        rows.append([ARM_TITLES[name], f"energy, {unit}", residual, _verdict(good), formula])
        formula = (
            f"{number(messages['sent'])} sent = {number(messages['delivered'])} delivered + "
            f"{number(messages['lost'])} lost + {number(messages['in_flight'])} under way at the end"
        )
        rows.append(
            [ARM_TITLES[name], "messages", str(messages["residual"]), _verdict(messages["residual"] == 0), formula]
        )
        rows.append(
            [
                ARM_TITLES[name],
                "money, EUR",
                number(money["sum"], 5),
                _verdict(money["sum"] == 0),
                "sum over all accounts",
            ]
        )
    return table(("arm", "law", "residual", "verdict", "balance"), rows, style="checks")


def _verdict(good: bool) -> str:
    return '<span class="good">holds</span>' if good else '<span class="bad">broken</span>'


def assumption_tables(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Every declared number with its unit and source, section by section, folded."""
    parts = []
    for section, keys in sections.items():
        rows = [
            [
                f"<code>{text(name)}</code>",
                f"<b>{text(one['value'])}</b> {text(one['unit'])}{'' if one['value'] == one['default'] else ' <em>changed</em>'}",
                text(one["info"]),
                text(one["source"]),
            ]
            for name, one in keys.items()
        ]
        parts.append(
            f"<details><summary>{text(section)} <span class='unit'>{len(rows)} numbers</span></summary>"
            + table(("key", "value", "what", "source"), rows, style="left4")
            + "</details>"
        )
    return "".join(parts)


def business_table(business: Mapping[str, Any]) -> str:
    """The parts of each domain's net present value."""
    rows = [
        [
            f"<b>{DOMAIN_TITLES[k]}</b>",
            signed(one["operating_eur_per_year"]),
            signed(one["operating_pv_eur"]),
            signed(-one["investment_eur"]),
            signed(one["avoided_investment_eur"]),
            f"<b>{signed(one['npv_eur'])}</b>",
        ]
        for k, one in enumerate(business["rows"])
    ]
    total = [sum(one[key] for one in business["rows"]) for key in ("operating_eur_per_year", "operating_pv_eur")]
    total += [-sum(one["investment_eur"] for one in business["rows"])]
    total += [sum(one[key] for one in business["rows"]) for key in ("avoided_investment_eur", "npv_eur")]
    rows.append(["<b>all seven</b>", *(f"<b>{signed(value)}</b>" for value in total)])
    yearly_eur = business["state_eur_per_year"]
    worth_eur = yearly_eur * business["rows"][0]["annuity_factor"]
    rows.append(
        [
            "<b>The state</b> (taxes and levies)",
            signed(yearly_eur),
            signed(worth_eur),
            signed(0.0),
            signed(0.0),
            f"<b>{signed(worth_eur)}</b>",
        ]
    )
    total = [total[0] + yearly_eur, total[1] + worth_eur, total[2], total[3], total[4] + worth_eur]
    rows.append(["<b>all seven and the state</b>", *(f"<b>{signed(value)}</b>" for value in total)])
    head = (
        *("EUR", "operation, a year", "its present value", "investment", "avoided investment"),
        "net present value",
    )
    return table(head, rows, style="numbers business")


BOUGHT = {
    "smart_meter": ("smart meters, without their communication units", False),
    "access_unit": ("communication units of the meters", True),
    "access_site": ("concentrators, gateways or base stations of the access networks", True),
    "backhaul": ("links of the substations to the hub", True),
    "wan": ("links of the hub to control centre, market and providers", True),
    "line_m": ("lines laid for communications", True),
    "head_end": ("head end and meter-data store", False),
    "feeder_sensor": ("measuring kits of the substations", False),
    "control_box": ("control boxes of the customers whose devices are controlled", False),
    "plain_meter": ("plain meters", False),
    "reading_visit": ("equipment for reading meters by visit", False),
    "station_transformers": ("transformers of overloaded substations", False),
    "primary_transformers": ("transformers of overloaded primary substations", False),
}
"""What a run may buy, by its name in the summary's investments: a title, and whether it serves communications."""


def investment_table(summary: Mapping[str, Any]) -> str:
    """What is bought and what need not be, over the years of the business case; and what communications cost of it and to run."""
    business = summary["business"]
    bought = [one for one in business["investments"] if one["present_value_eur"]]
    rows = [
        [
            f"{text(BOUGHT[one['name']][0])}{'' if one['present_value_eur'] > 0 else ', not needed'}",
            DOMAIN_TITLES[DOMAIN_NAMES.index(one["domain"])],
            number(one["present_value_eur"]),
        ]
        for one in sorted(bought, key=lambda one: -one["present_value_eur"])
    ]
    total_eur = sum(one["present_value_eur"] for one in bought)
    rows.append(["<b>together</b>", "", f"<b>{number(total_eur)}</b>"])
    links_eur = sum(one["present_value_eur"] for one in bought if BOUGHT[one["name"]][1])
    upkeep_eur = sum(
        one["amount_eur"] for one in summary["arms"]["smart"]["money_eur"]["by_reason"] if one["reason"] == "telecom"
    )
    yearly_eur = upkeep_eur / summary["days"] * business["weights_sum"]
    npv_eur = sum(one["npv_eur"] for one in business["rows"])
    said = (
        f"Communications are {number(links_eur)} EUR of what is bought, and {number(yearly_eur)} EUR a year to run. Per customer the net "
        f"present value of all seven domains is {signed(npv_eur / summary['customers'])} EUR."
    )
    return f"<p>{said}</p>" + table(("what is bought", "by", "present value, EUR"), rows, style="numbers")
