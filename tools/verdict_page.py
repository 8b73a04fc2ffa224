"""Write the page of which technology meets which application's requirement, and what the literature says.

python tools/verdict_page.py docs/verdicts.md
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from heptagrid.contracts.requirements import REQUIREMENTS, Requirement
from heptagrid.planes.messages.technology import technology
from heptagrid.studies.neighbourhood import Outcome, outcome, setting_of, technologies_for
from heptagrid.validate.messages_neighbourhood import LITERATURE, Verdict

HEAD = """# Which technology meets which application's requirement

Made by `make docs` with `heptagrid.studies.neighbourhood`; do not edit. The page of a run has the same verdicts for the applications of that run.

A **neighbourhood** is 500 homes and twelve feeder devices at 800 homes per km², around as many collectors or cells as the technology
plans for; a **home** is ten devices; a **wide area** is twelve substations within 10 km. One technology is tested at a time; all links
beyond it are fibre. Besides the application, every meter sends a reading each 15 minutes, which is acknowledged. Each cell gives the verdict, the share of messages
within the latency, and the delay that 95 % of all messages did not exceed (none where more were lost). A message carries 96 bytes of
signature and security besides its payload.

- A message whose latency is 4 s or more is acknowledged, and sent again after a quarter and three quarters of it (after 300 s at most).
- A broadcast is one message to each home, spread over the first half of its latency: multicast is not modelled.
- A payload of more than 4096 bytes is sent as a stream of 1024-byte blocks within half of the latency; the share is of blocks.
- Rare events are sampled 1000 times over twelve hours. Last gasps are among them; a mains failure of a whole street is not
  tested here.
- **Met** means shown: were messages missed as often as the requirement just allows, so few misses would occur in at most 5 % of such
  trials (exact binomial test). **Not refuted** means that enough came in time, but too few were sent to show it: 99.9 % without a miss takes
  2995 messages, 99.9999 % three million.
- Not modelled: interference between neighbouring networks on one channel, and what [technologies](technologies.md) lists for each.
"""
TITLES = {"home": "Home", "neighbourhood": "Neighbourhood", "wide area": "Wide area"}


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n"


def _time(seconds: float) -> str:
    if math.isinf(seconds):
        return "–"
    for least, factor, unit in ((3600.0, 3600.0, "h"), (1.0, 1.0, "s"), (1e-3, 1e-3, "ms")):
        if seconds >= least:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _percent(share: float) -> str:
    """Rounded down, so that only the whole is 100 %."""
    return f"{math.floor(1000.0 * share) / 10.0:g} %"


def _cell(one: Outcome) -> str:
    said = f"{_percent(one.share_in_time)}, {_time(one.p95_s)}"
    return f"{one.verdict.words} {said}" if one.met else f"**missed** {said}"


def _table(setting: str, found: dict[tuple[str, str], Outcome]) -> str:
    names = technologies_for(setting)
    text = f"\n## {TITLES[setting]}\n\n" + _row(["application", "asks for", *(f"`{name}`" for name in names)])
    text += "|" + "---|" * (2 + len(names)) + "\n"
    for one in REQUIREMENTS.values():
        if setting_of(one) == setting:
            asks = f"{100.0 * one.reliability:.9g} % in {_time(one.latency_s)}"
            text += _row([one.application, asks, *(_cell(found[one.application, name]) for name in names)])
    return text


def _literature(found: dict[tuple[str, str], Outcome]) -> str:
    text = "\n## What the literature says\n\n"
    text += _row(["application", "technology", "literature", "here", "source"]) + "|---|---|---|---|---|\n"
    differ: list[Verdict] = []
    for one in LITERATURE:
        ours = found[one.application, one.technology]
        agrees = ours.met == one.suits
        differ += [] if agrees else [one]
        here = ("met" if ours.met else "missed") + ("" if agrees else ", **differs**")
        text += _row([one.application, f"`{one.technology}`", "suits" if one.suits else "does not", here, one.source])
    text += f"\n{len(LITERATURE) - len(differ)} of {len(LITERATURE)} agree. Why the others differ:\n\n"
    return text + "".join(
        f"- **{one.application} over `{one.technology}`.** {one.why or 'Not known.'}\n" for one in differ
    )


def page(found: dict[tuple[str, str], Outcome]) -> str:
    """The page as Markdown."""
    missing = "\n## Not modelled, by technology\n\n" + "".join(
        f"- `{name}`: {technology(name).not_modelled}.\n" for name in sorted({name for _, name in found})
    )
    return HEAD + "".join(_table(setting, found) for setting in TITLES) + _literature(found) + missing


def _all() -> dict[tuple[str, str], Outcome]:
    def each(one: Requirement) -> list[Outcome]:
        return [outcome(one, name) for name in technologies_for(setting_of(one))]

    return {(done.application, done.technology): done for one in REQUIREMENTS.values() for done in each(one)}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(_all()), encoding="utf-8")
