"""Each command and option that a page shows exists, with its arguments; generated pages are up to date."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.write_docs import command_tree, generated, leaves, model_table
from tests.test_docs_citations import pages, text

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = re.compile(r"^```(?:sh|console|bash)?\n(?:.*?)^```|(?:^(?: {4}| {7})[^\n]*\n)+", re.MULTILINE | re.DOTALL)
USER = re.compile(r"^sudo -u torgsync ")
PLACEHOLDER = re.compile(r"[\[\]…|<>]|\.\.\.")


def shown() -> list[tuple[str, str]]:
    """Page and command line of every ``torgsync …`` in a code block or in backticks."""
    found: list[tuple[str, str]] = []
    for page in pages():
        content = text(page)
        lines = [line for match in BLOCKS.finditer(content) for line in match[0].splitlines()]
        lines += re.findall(
            r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", content, flags=re.MULTILINE | re.DOTALL)
        )
        for line in (USER.sub("", line.strip()) for line in lines):
            match = re.search(r"(?:^|[\s/$`])(?:sh run )?torgsync ((?:[a-z][\w-]*|--\w).*)$", line)
            if match and not re.match(r"[a-z_]+ = |#|\w+:", line) and _begins(line, match):
                found.append((page, match[1]))
    return sorted(set(found))


def _begins(line: str, match: re.Match[str]) -> bool:
    """Whether the command stands where a command may: first, or behind what calls it."""
    before = line[: match.start()].strip()
    first = match[0].strip()
    if not before and first.startswith(("torgsync", "sh run", "/usr", "$", "/")):
        return True
    words = before.split()
    return bool(words) and (
        words[0] in ("$", "cd", "ExecStart=/bin/sh", "run") or "=" in words[0] or bool(re.match(r"[\d*]+$", words[0]))
    )


def words_of(line: str) -> list[str]:
    """The words of a command line, without its comment and what follows another command."""
    plain = line.replace("[OPTIONS]", "").replace("GUARD=N", "moved_goods=1")
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=";&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    lexer.escape = ""
    try:
        words = list(lexer)
    except ValueError:
        words = plain.split()
    return words[: next((n for n, word in enumerate(words) if set(word) <= set(";&")), len(words))]


def find(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and the words behind its name."""
    command, rest = command_tree(), words
    while rest and (children := getattr(command, "commands", None)):
        if rest[0] in {option for param in command.params for option in param.opts}:
            return command, []  # an option of the group: --version
        name = rest[0] if rest[0] in children else "list" if "list" in children else None
        if name is None:
            raise AssertionError(f"no command «torgsync {' '.join(words)}»")
        command, rest = children[name], rest[1:] if rest[0] in children else rest
    return command, rest


def test_pages_show_commands():
    assert len(shown()) > 60, "the commands were not found: does the pattern still fit?"


@pytest.mark.parametrize(("page", "line"), shown())
def test_a_command_that_a_page_shows_exists_with_its_options(page, line):
    command, rest = find(words_of(line))
    if getattr(command, "commands", None):
        assert rest == [], f"torgsync {line}"
        return
    options = {o for param in command.params for o in (*param.opts, *param.secondary_opts)} | {"--help", "-h"}
    for word in rest:
        for option in re.findall(r"^\[?(--?[a-z][\w-]*)", word):
            assert option in options, f"torgsync {line}"


@pytest.mark.parametrize(
    ("page", "line"), [pair for pair in shown() if not PLACEHOLDER.search(pair[1]) and pair[0] != "docs/names.md"]
)
def test_a_command_that_a_page_shows_whole_has_the_arguments_that_it_needs(page, line):
    """Parsed as the shell would hand it over, and not run. In running text a command may be named without arguments."""
    command, rest = find(words_of(line))
    if getattr(command, "commands", None) or not rest or rest in (["--help"], ["--json"]):
        return
    if any(word in ("SHOP", "DSN", "KEY", "RUN", "PLAN", "N", "TABLE", "NIGHT", "COMMIT") for word in rest):
        rest = [{"N": "1"}.get(word, word) for word in rest]
    try:
        command.make_context("torgsync", list(rest))
    except Exception as error:
        pytest.fail(f"{page}: torgsync {line}: {getattr(error, 'message', error)}")


def test_every_command_has_an_example_that_it_can_parse():
    for words, command in leaves(command_tree()):
        assert command.epilog, words
        _, found, example = command.epilog.partition("Example: ")
        assert found, words
        named, rest = find(words_of(example.split("torgsync ", 1)[1]))
        assert named.name == command.name
        named.make_context("torgsync", list(rest))


@pytest.mark.parametrize(
    ("path", "wanted"), generated().items(), ids=lambda value: value.name if isinstance(value, Path) else ""
)
def test_a_page_that_is_made_from_the_code_is_up_to_date(path, wanted):
    """When it is not: ``python -m scripts.write_docs``."""
    assert path.read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("page", [name for name in pages() if name != "docs/cli.md"])
def test_names_of_runs_on_a_page_are_as_long_as_real_ones(page):
    """Date, time and eight hex digits; a beginning of a name ends with the time."""
    found = re.findall(r"\b\d{8}-\d{6}(?:-([0-9a-z]+))?", text(page))
    assert [digits for digits in found if digits and not re.fullmatch(r"[0-9a-f]{8}", digits)] == []


@pytest.mark.parametrize("name", ["report", "plan"])
def test_every_field_of_a_file_for_programs_has_a_meaning(name):
    from schemas.plan import Plan
    from schemas.report import RunReport

    table = model_table({"report": RunReport, "plan": Plan}[name])
    assert [line for line in table.splitlines() if line.endswith("|  |")] == []


def test_every_page_with_commands_says_how_one_calls_them():
    """``torgsync`` is on nobody's PATH after ``sh run``: each page says what to type, or types ``sh run torgsync``."""
    for page in pages():
        if not page.startswith("docs/") or page.startswith("docs/adr/") or page in ("docs/install.md", "docs/cli.md"):
            continue
        lines = [line for match in BLOCKS.finditer(text(page)) for line in match[0].splitlines()]
        bare = [line for line in lines if re.match(r"\s*(\$ )?torgsync ", line)]
        if bare:
            assert "install.md#the-command" in text(page) or "operations.md#as-a-service" in text(page), (page, bare[0])


def test_the_wrapper_hands_the_secrets_to_the_command(tmp_path):
    """The recipe of docs/operations.md, with other folders."""
    (script,) = re.findall(r"```sh\n(#!/bin/sh\n.*?)```", text("docs/operations.md"), re.DOTALL)
    app, secrets, wrapper = tmp_path / "app", tmp_path / "torgsync.env", tmp_path / "torgsync"
    app.mkdir()
    (app / "run").write_text('printf "%s|%s|%s" "$PWD" "$SHOP_PASSWORD" "$*"\n', encoding="utf-8")
    secrets.write_text("SHOP_PASSWORD='p $x \"y'\n", encoding="utf-8")
    wrapper.write_text(script.replace("/srv/torgsync/app", str(app)).replace("/etc/torgsync.env", str(secrets)))
    done = subprocess.run(
        ["sh", str(wrapper), "sync", "shops/my shop", "--quiet"],
        capture_output=True, text=True, timeout=60, check=True, cwd="/", env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stdout == f'{app}|p $x "y|torgsync sync shops/my shop --quiet'
