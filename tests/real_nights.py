"""Three nights of one real shop: their twin in the repository, and the originals where those are at hand.

Every test with the fixture ``real`` runs on the twin (``data/samples/cosmetics``, made by ``scripts/make_twin.py``).
On a machine with the originals (a folder ``shared/data`` beside the repository) it runs on them as well. Elsewhere
those runs are not collected, so that nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
ORIGINALS = SHARED / "data"
NIGHTS = ("2025-02-06", "2025-02-07", "2025-02-09")


@dataclass(frozen=True)
class RealNights:
    """A set of the three nights. ``words`` gives each name of the originals that a test asserts as this set has it."""

    name: str
    folder: Path
    prefix: str
    words: Mapping[str, str]

    def night(self, date: str) -> Path:
        """The sync file of a night."""
        return self.folder / f"{self.prefix}{date}.trs"

    @property
    def golden(self) -> Path:
        """The truth of the last night, per type: path, section number, name, chain, goods."""
        return self.folder / f"{self.prefix}2025-02-09.golden.csv"


TWIN = RealNights(
    "twin",
    ROOT / "data" / "samples" / "cosmetics" / "input",
    "",
    {
        "Волосся": "Немуцся",
        "Аксесуари для волосся": "Ігцищиери гнє немуцся",
        "Гребінці для волосся": "Дніпамці гнє немуцся",
        "Рушники": "Вожвіки",
        "Макіяж": "Рітеяж",
        "Губи": "Біґи",
        "Flormar ": "Xwyllyv ",
        "Аксесуари для макіяжу": "Ігцищиери гнє ротеюжу",
        "OMG": "AWB",
        "Тіло": "Кемо",
        "Креми для рук": "Ґлами гнє мід",
        "Master Professional мл": "Vijpuv Dvuhuhjaywyn нв",
        "Біжутерія": "Гофеганія",
        "Пакування": "Гіґенолня",
    },
)
ORIGINAL = RealNights("originals", ORIGINALS, "cosmetics_", {name: name for name in TWIN.words})
HAS_ORIGINALS = ORIGINAL.golden.is_file()
AT_HAND = [TWIN, ORIGINAL] if HAS_ORIGINALS else [TWIN]


@pytest.fixture(params=AT_HAND, ids=lambda nights: nights.name)
def real(request: pytest.FixtureRequest) -> RealNights:
    """The three nights, once as the twin and once as the originals where they are."""
    return request.param
