"""What went wrong in a run, the worst first: the rule by which a headline is made.

A headline names at most `MOST` findings. They come in the order below; what happened in the smart arm (or in the only arm
that was run) comes before what happened in the conventional arm alone. Each names the arm that it is true of, with that arm's
figure. Good news is told only where there is no finding.

1. customers lost their supply
2. load was shed to hold the frequency
3. a feeder's flow was not found and its last solution stood in
4. a control of taps or capacitors did not settle in some steps
5. a customer's supply voltage left the band of EN 50160
6. a transformer carried more than its rating
7. a line carried more than it may carry all the time
8. an application missed its published requirement (smart arm only)
9. more than `ESTIMATED` of the meter reads were estimated, so that bills rest on estimates (smart arm only)
10. over the years the smart grid costs more than it brings; known of annualised runs only
11. an application met its requirement over all and missed it in some access networks (smart arm only); the good news stands after it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heptagrid.report.words import ARM_TITLES, number

Summary = Mapping[str, Any]

MOST = 3
ESTIMATED = 0.01
"""Share of estimated reads above which a change of bills says nothing about the smart grid."""
RATED_PCT = 100.0


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong; is_smart: in the smart arm, or in the only one that was run."""

    order: int
    is_smart: bool
    words: str


@dataclass(frozen=True)
class _Trouble:
    """What one arm says of one kind of trouble: a clause, and its figure alone, for the other arm's clause."""

    words: str
    figure: str


def findings(summary: Summary) -> list[Finding]:
    """All findings of a run, the worst first."""
    arms = [name for name in summary["arms"] if name != "intact"]
    found = []
    for order, grid_finder in enumerate(_OF_THE_GRID, start=1):
        troubles = {name: one for name in arms if (one := grid_finder(summary, name)) is not None}
        if troubles:
            found.append(Finding(order, "smart" in troubles or len(arms) == 1, _told(troubles, len(arms))))
    if "smart" in arms:
        for order, finder in enumerate(_OF_THE_SMART_ARM, start=len(_OF_THE_GRID) + 1):
            words = finder(summary)
            if words is not None:
                found.append(Finding(order, True, words))
    return sorted(found, key=lambda one: (not one.is_smart, one.order))


def is_of_the_grid(one: Finding) -> bool:
    """Whether it is about supply, frequency, voltage or loading."""
    return one.order <= len(_OF_THE_GRID)


def _is_in_places(one: Finding) -> bool:
    """Whether it is about some access networks only."""
    return one.order == len(_OF_THE_GRID) + len(_OF_THE_SMART_ARM)


def worst(summary: Summary) -> str:
    """The headline: the worst findings in one sentence, or that there are none."""
    found = findings(summary)
    in_places = [one for one in found if _is_in_places(one)]
    if len(found) > len(in_places):
        return capital(listed([one.words for one in found[:MOST]])) + "."
    smart = summary["arms"].get("smart")
    used = [] if smart is None else [one for one in smart["requirements"] if one["verdict"] != "not used"]
    none = f"none of the {len(used)} applications in use missed its requirement over all"
    if in_places:
        said = f"{'; '.join(one.words for one in in_places)}; {none}, and the grid held"
    else:
        said = f"the grid held, and {none}" if used else "the grid held"
    gain = yearly_eur_per_customer(summary)
    return capital(said) + ("." if gain is None else f"; it pays {number(gain, 2)} EUR per customer and year.")


def listed(words: Sequence[str]) -> str:
    """Words as a list within a sentence."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, and {words[-1]}"


def capital(words: str) -> str:
    """Words as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def yearly_eur_per_customer(summary: Summary) -> float | None:
    """The net present value of the seven domains as an annuity, and what the state receives more, per customer; None where the run stands for no year."""
    business = summary["business"]
    if not business or not summary["customers"]:
        return None
    domains = sum(one["npv_eur"] / one["annuity_factor"] for one in business["rows"])
    return float((domains + business["state_eur_per_year"]) / summary["customers"])


def estimated_share(arm: Summary) -> float:
    """Share of the meter reads that were estimated; 0 where no reads are expected."""
    reads = arm["metering"]
    return float(reads["estimated"] / reads["expected"]) if reads and reads["expected"] else 0.0


def percent(value: float) -> str:
    """A loading in percent: whole, but for one that would read as the limit itself."""
    return f"{_apart(value, RATED_PCT, 0, 2)}\u202f%"


def _apart(value: float, limit: float, *digits: int) -> str:
    """A figure with so few decimals, else with so many more, that it does not read as the limit that it is not."""
    for count in (*digits, *range(digits[-1] + 1, 6)):
        if round(value, count) != limit:
            return number(value, count)
    return number(value, digits[-1])


def _told(troubles: Mapping[str, _Trouble], arms: int) -> str:
    """One finding with the arms of which it is true, the smart one first."""
    names = sorted(troubles, key=lambda name: name != "smart")
    first = troubles[names[0]]
    if arms == 1:
        return first.words
    if len(names) == 1:
        return f"{first.words} in the {ARM_TITLES[names[0]]} arm only"
    other = troubles[names[1]]
    if other.figure == first.figure:
        return f"{first.words} in both arms"
    return f"{first.words} in the {ARM_TITLES[names[0]]} arm ({other.figure} in the {ARM_TITLES[names[1]]} arm)"


def _supply(summary: Summary, name: str) -> _Trouble | None:
    count = summary["arms"][name]["interruptions"].get("customers", 0.0)
    return (
        _Trouble(f"{number(count)} customer{_s(count)} lost {_their(count)} supply", number(count)) if count else None
    )


def _frequency(summary: Summary, name: str) -> _Trouble | None:
    followed = summary["arms"][name]["frequency"]
    if not followed or followed["shed_mw"] <= 0.0:
        return None
    figure = f"{number(followed['shed_mw'], 1)} MW"
    return _Trouble(f"{figure} of load were shed to hold the frequency", figure)


def _held(summary: Summary, name: str) -> _Trouble | None:
    count = len({one["feeder"] for one in summary["unconverged"] if one["arm"] == name})
    return _Trouble(f"the flow of {count} feeder{_s(count)} was not found in some steps", str(count)) if count else None


def _hunting(summary: Summary, name: str) -> _Trouble | None:
    names = {one["control"] for one in summary["hunting"] if one["arm"] == name}
    if not names:
        return None
    which = f"{number(len(names))} controls" if len(names) > 1 else f"a control ({min(names)})"
    return _Trouble(f"{which} of taps or capacitors did not settle in some steps", str(len(names)))


def _voltage(summary: Summary, name: str) -> _Trouble | None:
    volts = summary["arms"][name]["voltage"]
    count, (low, high) = volts["customers_outside"], volts["band_pu"]
    if not count:
        return None
    least, most = volts["customers_min_pu"], volts["customers_max_pu"]
    ends = [f"lowest {_apart(least, low, 3)} pu"] if least < low else []
    ends += [f"highest {_apart(most, high, 3)} pu"] if most > high else []
    said = ", ".join(ends)
    words = f"{number(count)} customer{_s(count)} had a voltage outside {low:g} to {high:g} pu ({said})"
    return _Trouble(words, f"{number(count)}, {said}")


def _loading(what: str, limit: str) -> Callable[[Summary, str], _Trouble | None]:
    def find(summary: Summary, name: str) -> _Trouble | None:
        loading = summary["arms"][name]["loading"]
        count = loading[f"overloaded_{what}s"]
        if not count:
            return None
        most = percent(loading[f"max_{what}_pct"])
        if count == 1:
            return _Trouble(f"a {what} reached {most} of its {limit}", most)
        return _Trouble(
            f"{number(count)} {what}s carried more than their {limit}, up to {most}", f"{number(count)}, up to {most}"
        )

    return find


def _applications(summary: Summary) -> str | None:
    used = [one for one in summary["arms"]["smart"]["requirements"] if one["verdict"] != "not used"]
    missed = [one["application"] for one in used if one["verdict"] == "missed"]
    if not missed:
        return None
    which = f" ({', '.join(missed)})" if len(missed) <= 2 else ""
    return f"{len(missed)} of {len(used)} applications missed {_their(len(missed))} requirement{which}"


def _estimates(summary: Summary) -> str | None:
    share = estimated_share(summary["arms"]["smart"])
    if share <= ESTIMATED:
        return None
    return f"{number(100.0 * share, 1)}\u202f% of the meter reads were estimated, and bills rest on the estimates"


def _cost(summary: Summary) -> str | None:
    gain = yearly_eur_per_customer(summary)
    if gain is None or gain >= 0.0:
        return None
    return f"the smart grid costs {number(-gain, 2)} EUR per customer and year more than it brings"


def _in_places(summary: Summary) -> str | None:
    rows = [one for one in summary["arms"]["smart"]["requirements"] if one["verdict"] not in ("not used", "missed")]
    local = [one for one in rows if one["by_place"]["missed"]]
    if not local:
        return None
    each = ", ".join(f"{one['application']} in {places_missed(one)}" for one in local)
    count = "an application" if len(local) == 1 else f"{len(local)} applications"
    return f"{count} missed {_their(len(local))} requirement in some access networks ({each})"


def places_missed(one: Mapping[str, Any]) -> str:
    """In how many of the access networks that it used an application missed its requirement."""
    return f"{number(one['by_place']['missed'])} of {number(sum(one['by_place'].values()))}"


def _s(count: float) -> str:
    return "" if count == 1 else "s"


def _their(count: float) -> str:
    return "its" if count == 1 else "their"


_OF_THE_GRID: tuple[Callable[[Summary, str], _Trouble | None], ...] = (
    *(_supply, _frequency, _held, _hunting, _voltage),
    *(_loading("transformer", "rating"), _loading("line", "continuous rating")),
)
_OF_THE_SMART_ARM: tuple[Callable[[Summary], str | None], ...] = (_applications, _estimates, _cost, _in_places)
