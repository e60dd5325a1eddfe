"""Promises of the repository itself: what is committed, what is locked, what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from schemas.errors import EXIT_CODES
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "cli", "database", "engine", "files", "flows", "reports", "schemas", "sources", "state", "stores", "transforms",
)  # fmt: skip
LOCKS = ("requirements.lock", "requirements-dev.lock")
MOST_LINES = 350

IO = re.compile(
    r"^\s*(?:import|from) (?:alembic|fdb|glob|httpx|os\b(?!\.path)|shutil|socket|sqlalchemy|subprocess|tempfile)"
    r"|\bopen\(|\.(?:read_|write_)(?:text|bytes)\(|\.(?:is_file|is_dir|exists|stat|mkdir|glob|rglob|iterdir|cwd)\(|\benviron\b|\bgetenv\(",
    re.MULTILINE,
)
"""What code says that reads or writes something outside the process."""

MACHINE_PATHS = re.compile(r"(?<![\w./-])/(?:work|root|home)/\w", re.ASCII)


def tracked() -> list[Path]:
    """The files that git tracks, or all that it would track where this is no git checkout."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def project() -> dict:
    """The table [project] of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(requirement: str) -> str:
    """``Pandera[pandas]>=0.35`` → ``pandera``: a package's name as lock files write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def locked(name: str) -> dict[str, str]:
    """Package → its entry in a lock file, lines joined; a package with two versions by Python has both in it."""
    entries: dict[str, str] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.strip():
            entries[plain(line)] = f"{entries.get(plain(line), '')}{line} "
    return entries


def test_no_tracked_file_names_a_place_of_somebodys_machine():
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".png", ".ico", ".trs"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name}:{text[: hit.start()].count(chr(10)) + 1}: {hit[0]}" for hit in MACHINE_PATHS.finditer(text)]
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_registry(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*--(?!hash)|^-", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_file_is_pinned_to_one_version_and_its_hashes(name):
    entry = re.compile(r"[a-z0-9-]+==[\w.!+]+( ; [^\\]*?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    assert [line for line in text.splitlines() if line.strip() and not entry.fullmatch(line.strip())] == []


def test_every_dependency_is_in_the_lock_and_so_is_what_builds_the_project():
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    wanted = {plain(requirement) for requirement in [*project()["dependencies"], *backend]}
    assert wanted - set(locked("requirements.lock")) == set()
    wanted |= {plain(requirement) for requirement in project()["optional-dependencies"]["dev"]}
    assert wanted - set(locked("requirements-dev.lock")) == set()


def test_tests_run_with_the_very_versions_that_are_shipped():
    version = re.compile(r"==[^\s;]+")
    shipped, tested = ({p: version.findall(e) for p, e in locked(name).items()} for name in LOCKS)
    assert shipped == {package: tested.get(package) for package in shipped}


def test_the_readme_lists_every_exit_code_and_no_other():
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == EXIT_CODES


def test_every_command_that_the_readme_tells_to_type_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^(?:sh run )(\w+)", run("help").stdout, re.MULTILINE))
    assert set(re.findall(r"\bsh run (\w+)", text)) - {"help"} <= known
    commands = {(c.name or (c.callback and c.callback.__name__)) for c in app().registered_commands}
    commands |= {group.name for group in app().registered_groups}
    # in a code block or in backticks: a command, not a sentence about torgsync
    typed = re.findall(r"(?:^    |`|sh run |\.venv/bin/)torgsync ([a-z][\w-]*)", text, re.MULTILINE)
    assert {word for word in typed if word not in commands} == set()


def app():
    """The typer application of the command line."""
    from cli.main import app

    return app


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """The script ``run`` from another folder, as a person might start it."""
    return subprocess.run(
        ["sh", str(ROOT / "run"), *args], cwd=ROOT.parent, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_run_says_what_it_can_do_and_refuses_what_it_cannot():
    assert "sh run demo" in run().stdout
    refused = run("dmeo")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "sh run demo" in refused.stderr


def test_ci_only_calls_run():
    assert "sh run test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_schemas_only_declare_and_read_or_write_nothing():
    """No file, no environment variable, no database: what needs one belongs to the room that uses it (ADR 15)."""
    found = {
        f"{path.relative_to(ROOT)}: {match.group().strip()}"
        for path in (ROOT / "schemas").rglob("*.py")
        if path.name != "command.py"  # one constant: how the user started torgsync
        for match in IO.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()
    assert IO.search((ROOT / "database" / "url.py").read_text(encoding="utf-8")), "the test sees what is there"


def test_pre_commit_makes_the_checks_that_ci_makes_and_downloads_nothing():
    lint = (ROOT / "run").read_text(encoding="utf-8").split("\nlint() {")[1].split("\n}")[0]
    checks = set(re.findall(r"^ +\.venv/bin/(\S.*)$", lint, re.MULTILINE))
    (local,) = YAML(typ="safe").load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    entries = {re.sub(r" --force-exclude$", "", hook["entry"]) for hook in local["hooks"]}
    assert entries == {f".venv/bin/{check}" for check in checks}


def test_no_module_is_longer_than_a_person_wants_to_read():
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    lengths = {p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in modules}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_rooms_import_only_what_the_design_allows():
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(command), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("shop", sorted(path.parent.name for path in ROOT.glob("data/samples/*/shop.toml")))
def test_a_sample_shop_is_whole_and_says_what_it_shows(shop):
    from engine.sections import shop_rules
    from engine.setup.samples import read_input
    from engine.shops import load_shop

    folder = ROOT / "data" / "samples" / shop
    settings = load_shop(folder)
    assert settings.name == shop
    assert shop_rules(settings).rules
    types, _, goods = read_input(folder / "input")
    assert len(types)
    assert len(goods)
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"# {shop}:")


def test_every_decision_record_says_context_decision_and_consequence():
    for path in sorted((ROOT / "docs" / "adr").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert [w for w in ("**Context.**", "**Decision.**", "**Consequence.**") if w not in text] == [], path.name
