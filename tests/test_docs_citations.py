"""What code, pages, ADRs and the README cite exists: links, sections of pages, ADR numbers, files, tests, names."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

PAGE = re.compile(r"(?<![\w/.-])(?:docs/)?(?P<page>[\w/-]+\.md)\b")
SECTION = re.compile(
    r"(?<![\w/.-])(?:docs/)?(?P<page>[\w-]+\.md)(?:\s+sections?)?\s+"
    r"(?P<numbers>\d+(?:\.\d+)*(?:(?:,| and| or)\s+\d+(?:\.\d+)*)*)"
)
PROMISE = re.compile(r"design\.md promise (P\d+)")
ADR = re.compile(r"\bADR[ -]?0*(\d+)|\bdocs/adr/(\d{4})|(?<![\w/])adr/(\d{4})")
TEST = re.compile(r"(?<![\w/])tests/[\w/.-]*\w(?:::\w+)?")
FENCE = re.compile(r"^(`{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the repository that git knows or would take; all files where this is no checkout."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = done.stdout.split("\0") if done.returncode == 0 else [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")]
    return tuple(name for name in names if name and (ROOT / name).is_file())


def pages() -> list[str]:
    """Pages for people: README, docs, ADRs and the samples' own. The changelog tells of the past."""
    return [name for name in tracked() if name.endswith(".md") and name != "CHANGELOG.md"]


def sources() -> list[str]:
    """Python files and pages: all that cites."""
    own = Path(__file__).name
    python = [name for name in tracked() if name.endswith(".py") and not name.endswith(own)]
    return [*python, *pages(), *(name for name in ("pyproject.toml", "run") if name in tracked())]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)|\]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def headings(page: Path) -> list[str]:
    """The headings of a page, without what stands in code blocks."""
    return re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)


def section_numbers(page: Path) -> set[str]:
    """``4`` and ``1.3`` by headings ``## 4. …`` and ``### 1.3 …``; ``2.5`` is the fifth entry of section 2's list."""
    found: set[str] = set()
    current = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"##+ (\d+(?:\.\d+)*)\.? ", line):
            current = heading[1]
            found.add(current)
        elif current and (entry := re.match(r"(\d+)\. ", line)):
            found.add(f"{current}.{entry[1]}")
    return found


@pytest.mark.parametrize("page", pages())
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_exist(page):
    where = (ROOT / page).parent
    dead = []
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", FENCE.sub("", text(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (where / path).resolve() if path else ROOT / page
        if not file.exists() or (fragment and fragment not in {anchor(heading) for heading in headings(file)}):
            dead.append(target)
    assert dead == []


def test_every_page_that_is_cited_exists():
    dead = []
    for name in sources():
        for match in PAGE.finditer(text(name)):
            page = match["page"]
            places = [ROOT / page, DOCS / page, (ROOT / name).parent / page, ROOT / match[0]]
            if not any(place.exists() for place in places):
                dead.append(f"{name}: {match[0]}")
    assert dead == []


def test_every_section_of_a_page_that_is_cited_exists():
    cited, faults = 0, []
    for name in sources():
        for match in SECTION.finditer(re.sub(r"\n(?:\s*#)?\s*", " ", text(name))):
            page = DOCS / match["page"]
            if not page.is_file():
                continue  # the test above tells
            cited += 1
            known = section_numbers(page)
            faults += [f"{name}: {match[0]}" for n in re.findall(r"\d+(?:\.\d+)*", match["numbers"]) if n not in known]
    assert faults == []
    assert cited > 50, "the citations were not found: does the pattern still fit how they are written?"


def test_every_promise_that_is_cited_is_made():
    made = set(re.findall(r"^\| (P\d+) \|", text("docs/design.md"), re.MULTILINE))
    cited = {promise for name in sources() for promise in PROMISE.findall(text(name))}
    assert cited <= made
    assert made == set(re.findall(r"^\| (P\d+) \|", text("README.md"), re.MULTILINE))


def test_every_decision_record_that_is_cited_exists():
    known = {int(path.name[:4]) for path in (DOCS / "adr").glob("[0-9]*.md")}
    dead = []
    for name in sources():
        for match in ADR.finditer(text(name)):
            number = int(next(group for group in match.groups() if group))
            if number not in known:
                dead.append(f"{name}: {match[0]}")
    assert dead == []


@pytest.mark.parametrize("path", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=lambda path: path.name)
def test_a_decision_record_bears_the_number_of_its_file_and_says_what_was_decided_and_why(path):
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    number = re.match(r"# (\d+)\.? ", first)
    assert number is not None
    assert int(number[1]) == int(path.name[:4])
    for part in ("Context", "Decision"):
        assert re.search(rf"^(?:\*\*{part}\.\*\*|## {part}$)", rest, re.MULTILINE), part


@cache
def defined(path: Path) -> frozenset[str]:
    """Functions and classes of a Python file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("page", [name for name in pages() if "tests/" in text(name)])
def test_every_test_that_a_page_names_exists(page):
    dead = []
    for cited in TEST.findall(text(page)):
        path, _, function = cited.partition("::")
        file = ROOT / path
        if not file.exists() or (function and function not in defined(file)):
            dead.append(cited)
    assert dead == []


@pytest.mark.parametrize("page", pages())
def test_every_file_of_the_repository_that_a_page_names_exists(page):
    folders = "|".join(sorted({re.escape(name.split("/")[0]) for name in tracked() if "/" in name} - {"docs"}))
    named = re.findall(rf"`((?:{folders})/[\w./-]*\w)`", text(page))
    assert [name for name in named if not (ROOT / name).exists()] == []


def retired(kind: str) -> list[str]:
    """The retired names of docs/names.md of one kind."""
    _, found = text("docs/names.md").split("## Retired names")
    return re.findall(rf"^\| {kind} \| `([^`]+)` \|", found, re.MULTILINE)


def test_retired_modules_do_not_come_back():
    names = set(retired("module"))
    assert names
    assert [name for name in tracked() if Path(name).name in names] == []


def test_retired_names_do_not_appear_in_code_and_pages():
    names = retired("name")
    assert names
    words = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
    found = [
        f"{name}: {match[0]}"
        for name in sources()
        if name != "docs/names.md"
        for match in words.finditer(text(name))
    ]  # fmt: skip
    assert found == []


def test_every_name_in_the_list_of_words_stands_in_the_code():
    """Keys of settings, tables and columns that docs/names.md gives in its last two columns."""
    _, words = text("docs/names.md").split("## Words")
    rows = re.findall(r"^\| \*\*.+$", words.partition("## Retired names")[0], re.MULTILINE)
    code = "\n".join(text(name) for name in tracked() if name.endswith(".py") and not name.startswith("tests/"))
    missing = []
    for row in rows:
        for named in re.findall(r"`([^`]+)`", "|".join(row.split("|")[3:])):
            found = re.findall(r"[a-z_]{4,}", named)
            missing += [f"{row.split('|')[1].strip()}: {word}" for word in found if not re.search(rf"\b{word}\b", code)]
    assert missing == []
