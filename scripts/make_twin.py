"""Makes the sample ``cosmetics``: a twin of three nights of a real shop, in which nothing of that shop is left.

    .venv/bin/python scripts/make_twin.py FOLDER_OF_THE_EXPORTS data/samples/cosmetics/input

The twin has the structure of the originals: their lines, columns, quotes and line ends, their trees, their equal and
their different values. Every value is replaced, and the same original value always by the same new one, in all columns
and all nights. So renames, moves, re-used numbers, shared prefixes of paths and goods of one model survive.

| value | its replacement |
|---|---|
| a word | letters of the same kind (vowel, stop …), no word of the originals; a long Ukrainian word keeps its ending |
| a number of 3 digits and more in a text | a number of the same length that no text of the originals has |
| a number of 1 or 2 digits in a text (a size, a shade) | another one; there are too few to avoid all |
| GoodID, ModelGoodID, Articul | a number that the originals lack; the order stays |
| Barcode | the same length, from a range that shops number themselves; valid where the original is valid |
| a price | about thirteen times as much, a price that the originals lack; order, decimals and ratios stay; 0 stays 0 |
| PriceDiscountPercent | computed from the new prices |
| a quantity | a greater one; the order stays; 0 stays 0 |
| Category, the keys in section chains | **kept**: the numbers 1 to 78 are the structure itself |
| flags, Sex and columns that are 0 or empty everywhere | kept |

``survivors`` proves it: the script writes nothing while a word, number, id, barcode or price of the originals is in
the twin.
"""

from __future__ import annotations

import csv
import io
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from schemas.trs import LAYOUTS

SEED = "cosmetics 2"
NIGHTS = ("2025-02-06", "2025-02-07", "2025-02-09")
GOLDEN = "2025-02-09.golden.csv"
PREFIX = "cosmetics_"  # of the originals' file names

Row = list[str]
"""The 48 cells of one good, as they stand in the file: texts with their quotes."""

COLUMNS = [column.name for column in LAYOUTS[48]]
TEXTS = frozenset(column.name for column in LAYOUTS[48] if column.kind == "text") - {"Articul", "Barcode"}
PRICES = frozenset({"RetailPrice", "WholesalePrice", "RetailPriceWithDiscount"})
IDS = frozenset({"GoodID", "ModelGoodID"})
CHAIN = "SynchronizationSectionFull"

_CELL = re.compile(r'("(?:[^"]|"")*"|[^;"]*)(?:;|$)')
_TOKEN = re.compile(r"[A-Za-z]+|[Ѐ-ӿ]+|[0-9]+")
_KEY = re.compile(r"(?:^|(?<=;))(\d+=)")  # «4=» in a chain

# Letters are exchanged within their kind: so what could be pronounced still can
_KINDS = (
    "аоуеиі", "яюєї", "бпдтгкґ", "влмнр", "сзшжчхцщф",
    "aeiouy", "bpdtgkqc", "lrmnwv", "szfhxj",
)  # fmt: skip
_KIND = {letter: kind for kind in _KINDS for letter in kind}
_CYRILLIC_VOWELS = frozenset("аоуеиіяюєї")
_RUDE = re.compile("еб|єб|ху|жид|бля|гівн|дуп|сра|хер|cum|fag|nig|ass$")  # syllables that no invented word shall have
_KEPT_ENDING = {4: 1, 5: 2}  # letters that stay, by the length of a Cyrillic word; longer words: 2


def read_rows(path: Path) -> list[Row]:
    """The lines of a CP1251 export without a header, as raw cells; ``joined`` makes the same bytes of them."""
    lines = path.read_bytes().decode("cp1251").split("\r\n")
    if lines.pop() != "":
        raise ValueError(f"{path}: the last line has no line end")
    rows = [_CELL.findall(line)[: len(COLUMNS)] for line in lines]
    if joined(rows) != path.read_bytes():
        raise ValueError(f"{path}: not the dialect of 48 columns that this script knows")
    return rows


def joined(rows: Iterable[Row]) -> bytes:
    """The file of these rows."""
    return "".join(";".join(row) + "\r\n" for row in rows).encode("cp1251")


def values(rows: Iterable[Row], *names: str) -> set[str]:
    """All values of the columns, without quotes and without the empty one."""
    places = [COLUMNS.index(name) for name in names]
    return {text(row[place]) for row in rows for place in places} - {""}


def text(cell: str) -> str:
    """A cell's value: its quotes removed."""
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def tokens(rows: Iterable[Row]) -> set[str]:
    """Every word (in lower case) and every number in the texts, without the keys of the section chains."""
    chains = {_KEY.sub("", chain) for chain in values(rows, CHAIN)}
    texts = values(rows, *TEXTS - {CHAIN}) | chains
    return {token.lower() for value in texts for token in _TOKEN.findall(value)}


class Twin:
    """The replacements for all values of the given rows. Depends on ``SEED`` and the rows' values alone."""

    def __init__(self, rows: list[Row]) -> None:
        found = tokens(rows)
        self.words = _exchange(found, found)
        prices = values(rows, *PRICES)
        # thirteen times: closer to the originals no price would be free, and the ratios between prices would be lost
        self.prices = _greater(prices, range(1260, 1361), avoid=prices)
        self.quantities = _greater(values(rows, "WarehouseQuantity"), range(120, 141), avoid=set())
        self.ids = _numbered(values(rows, *IDS), "ids")
        articuls = values(rows, "Articul")
        with_zero = {articul for articul in articuls if articul.startswith("0")}
        self.articuls = _numbered(articuls - with_zero, "articuls")
        self.articuls |= {old: f"0{new}" for old, new in _numbered(with_zero, "articuls with a zero").items()}
        self.barcodes = _barcodes(values(rows, "Barcode"))

    def text(self, old: str) -> str:
        """A text with every word and number replaced; blanks, commas and signs stay."""
        return _TOKEN.sub(self._token, old)

    def chain(self, old: str) -> str:
        """A section chain (``4=…;56=…``) with its names replaced."""
        return "".join(part if _KEY.fullmatch(part) else self.text(part) for part in _KEY.split(old))

    def row(self, old: Row) -> Row:
        """One good of the twin."""
        new = [self._cell(name, cell) for name, cell in zip(COLUMNS, old, strict=True)]
        percent = COLUMNS.index("PriceDiscountPercent")
        if old[percent] != _percent(old):
            raise ValueError(f"good {old[0]}: PriceDiscountPercent does not follow from its prices")
        new[percent] = _percent(new)
        return new

    def golden(self, content: bytes) -> bytes:
        """The golden table (type path, number, name, chain, goods) of the twin, from that of the original."""
        head, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
        stream = io.StringIO(newline="")
        writer = csv.writer(stream)
        writer.writerow(head)
        for path, number, name, chain, goods in rows:
            writer.writerow([self.text(path), number, self.text(name), self.chain(chain), goods])
        return stream.getvalue().encode("utf-8")

    def _cell(self, name: str, cell: str) -> str:
        old = text(cell)
        if not old:
            return cell
        replace = self._replacement(name)
        return '"' + replace(old).replace('"', '""') + '"' if cell.startswith('"') else replace(old)

    def _replacement(self, name: str) -> Callable[[str], str]:
        if name == CHAIN:
            return self.chain
        if name in TEXTS:
            return self.text
        if name in PRICES:
            return self.prices.__getitem__
        if name in IDS:
            return self.ids.__getitem__
        special = {"Articul": self.articuls, "Barcode": self.barcodes, "WarehouseQuantity": self.quantities}
        return special[name].__getitem__ if name in special else str

    def _token(self, found: re.Match[str]) -> str:
        """The token's replacement with capitals where the token has them."""
        new = self.words[found[0].lower()]
        return (
            "".join(n.upper() if o.isupper() else n for o, n in zip(found[0], new, strict=False)) + new[len(found[0]) :]
        )


def _exchange(found: set[str], avoid: set[str]) -> dict[str, str]:
    """Token → new token: one to one, none of ``avoid`` but for numbers of one or two digits."""
    new: dict[str, str] = {}
    for length in (1, 2):
        short = sorted(token for token in found if token.isdigit() and len(token) == length)
        random.Random(f"{SEED} {length}").shuffle(short)
        new |= dict(zip(short, short[1:] + short[:1], strict=True))  # in a ring: none keeps its place
    taken = set(avoid)
    for token in sorted(found - new.keys()):
        new[token] = next(word for word in _candidates(token) if word not in taken)
        taken.add(new[token])
    return new


def _candidates(token: str) -> Iterator[str]:
    """New words for a token, without end; longer ones when those of its own length do not suffice."""
    dice = random.Random(f"{SEED} {token}")
    for tries in range(10_000):
        longer = token + token[-1:] * (tries // 300)
        new = _number(longer, dice, keep_zero=tries < 100) if token.isdigit() else _word(longer, dice)
        if not _RUDE.search(new):
            yield new


def _number(token: str, dice: random.Random, keep_zero: bool) -> str:
    first = "0" if keep_zero and token.startswith("0") else dice.choice("123456789")
    return first + "".join(dice.choice("0123456789") for _ in token[1:])


def _word(token: str, dice: random.Random) -> str:
    kept = _KEPT_ENDING.get(min(len(token), 5), 0) if token[0] > "z" else 0
    new = ""
    for letter in token[: len(token) - kept]:
        kind = _KIND.get(letter, letter)  # й and ь stay
        after_vowel = not new or new[-1] in _CYRILLIC_VOWELS
        fit = [n for n in kind if n != letter and (n != "и" or new) and (n != "ї" or after_vowel)]
        if "ґ" in fit and dice.random() < 0.8:
            fit.remove("ґ")  # rare in Ukrainian
        new += dice.choice(fit or [letter])
    return new + token[len(token) - kept :]


def _greater(found: set[str], hundredths: range, avoid: set[str]) -> dict[str, str]:
    """Decimal (comma) → a greater one, none of ``avoid``: about as many times greater as one of ``hundredths`` says.

    The order stays, and so does the number of digits behind the comma. 0 stays 0.
    """
    new = {"0": "0"}
    last = Decimal(0)
    for value, old in sorted((_decimal(old), old) for old in found - {"0"}):
        factor = Decimal(random.Random(f"{SEED} {old}").choice(hundredths)) / 100
        step = Decimal(1).scaleb(int(value.as_tuple().exponent))
        wanted = max((value * factor).quantize(step), value + step)
        while wanted <= last or _comma(wanted) in avoid or (step < 1 and wanted % (step * 10) == 0):
            wanted = (wanted + step).quantize(step)
        new[old], last = _comma(wanted), wanted
    return new


def _decimal(old: str) -> Decimal:
    return Decimal(old.replace(",", "."))


def _comma(value: Decimal) -> str:
    return str(value).replace(".", ",")


def _percent(row: Row) -> str:
    """The discount in per cent as Torgsoft writes it: at most eight digits, no zeros at the end."""
    retail, lower = (_decimal(row[COLUMNS.index(name)]) for name in ("RetailPrice", "RetailPriceWithDiscount"))
    share = Decimal(0) if not retail else (retail - lower) / retail * 100
    return _comma(Decimal(f"{share:.8f}".rstrip("0").rstrip(".")))


def _numbered(found: set[str], what: str) -> dict[str, str]:
    """Whole number → one of 4000 to 9999; the order stays. (The originals' own ids end before 4000.)"""
    chosen = sorted(random.Random(f"{SEED} {what}").sample(range(4000, 10_000), len(found)))
    return dict(zip(sorted(found, key=lambda old: (int(old), old)), map(str, chosen), strict=True))


def _barcodes(found: set[str]) -> dict[str, str]:
    """Barcode → one that no product of the world bears: the ranges 29, 2 (12 digits) and 000000 are a shop's own."""
    new: dict[str, str] = {}
    taken = set(found)
    for old in sorted(found):
        dice = random.Random(f"{SEED} {old}")
        prefix = "000000" if old.startswith("0") else "2" if len(old) == 12 else "29"
        while True:
            body = prefix + "".join(dice.choice("0123456789") for _ in range(len(old) - len(prefix) - 1))
            check = (_check_digit(body) + (0 if int(old[-1]) == _check_digit(old[:-1]) else 1)) % 10
            if (code := f"{body}{check}") not in taken:
                break
        new[old] = code
        taken.add(code)
    return new


def _check_digit(body: str) -> int:
    """The last digit of a GTIN of any length."""
    return -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body))) % 10


def survivors(originals: list[Row], twins: list[Row]) -> dict[str, set[str]]:
    """Kind of value → what is in both: words, numbers of three digits and more in texts, prices, ids, barcodes.

    Empty where nothing of the originals survived. 0 is no price.
    """
    kinds: Mapping[str, Callable[[list[Row]], set[str]]] = {
        "words and numbers": lambda rows: {t for t in tokens(rows) if not t.isdigit() or len(t) > 2},
        "prices": lambda rows: values(rows, *PRICES) - {"0"},
        "discounts": lambda rows: values(rows, "PriceDiscountPercent") - {"0"},
        "ids": lambda rows: values(rows, *IDS),
        "articuls": lambda rows: values(rows, "Articul"),
        "barcodes": lambda rows: values(rows, "Barcode"),
    }
    kept = {kind: found(originals) & found(twins) for kind, found in kinds.items()}
    return {kind: found for kind, found in kept.items() if found}


def make_twin(source: Path) -> dict[str, bytes]:
    """File name → content of the twin's three nights and its golden table. Raises ValueError where a value survives."""
    nights = {night: read_rows(source / f"{PREFIX}{night}.trs") for night in NIGHTS}
    originals = [row for rows in nights.values() for row in rows]
    twin = Twin(originals)
    made = {night: [twin.row(row) for row in rows] for night, rows in nights.items()}
    if kept := survivors(originals, [row for rows in made.values() for row in rows]):
        raise ValueError(f"of the originals, this survived: {kept}")
    files = {f"{night}.trs": joined(rows) for night, rows in made.items()}
    return files | {GOLDEN: twin.golden((source / f"{PREFIX}{GOLDEN}").read_bytes())}


if __name__ == "__main__":
    folder, target = map(Path, sys.argv[1:])
    target.mkdir(parents=True, exist_ok=True)
    for name, content in make_twin(folder).items():
        (target / name).write_bytes(content)
