"""An error of Firebird is known by its codes: a server in another language, or on Windows, leads to the same advice."""

from __future__ import annotations

import errno

import fdb
import pytest

from schemas.errors import SourceUnreachable
from sources.firebird.errors import explain
from sources.firebird.status import Status

OPEN = (335544344, 335544734)


def error(words: str, status: Status) -> fdb.DatabaseError:
    """What fdb raises, with words that no English reader knows."""
    made = fdb.DatabaseError(f"Error while x:\n- SQLCODE: -902\n- {words}", -902, status.first)
    made.firebird_status = status
    return made


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("Ошибка ввода-вывода", Status(OPEN, ("open", "x.fdb"), unix=(errno.ENOENT,)), "there is no such base"),
        ("Помилка вводу-виводу", Status(OPEN, ("open", "x.fdb"), windows=(3,)), "there is no such base"),
        ("Ошибка", Status(OPEN, ("open", "x.fdb", "Не удается найти указанный файл.")), "there is no such base"),
        ("Помилка", Status(OPEN, ("open", "x.fdb", "Відмовлено в доступі.")), "may not be opened"),
        ("Ошибка", Status(OPEN, ("open", "x.fdb"), unix=(errno.EACCES,)), "may not be opened"),
        ("Ошибка", Status(OPEN, ("CreateFile (open)", "x.fdb"), windows=(32,)), "another process has the base open"),
        ("Ошибка", Status((335544344, 335545107), ("lock", "x.fdb")), "another process has the base open"),
        ("Ошибка", Status((335544344, 335545273), ("read", "x.fdb")), "a cut one"),
        ("Ошибка", Status(OPEN, ("open", "x.fdb", "що завгодно")), "could not be opened"),
        ("Соединение потеряно", Status((335544741,)), "the connection was cut"),
        ("З'єднання втрачено", Status((335544336, 335544726)), "the connection was cut"),
        ("Хост не найден", Status((335544721, 335544704), ("shop",)), "no such host"),
        ("Не удалось", Status((335544721, 335544722), ("shop",)), "nobody listens there"),
        ("Версия", Status((335544379,), ("x.fdb", 11, 2, 13, 1)), "on-disk structure 11.2"),
        ("Немає прав", Status((335544352,), ("SELECT", "TABLE", "GOODS")), "the user may not read"),
        ("Немає прав", Status((335544352,), ("read-write", "database", "x.fdb")), "is read-only"),
        ("Шифрование", Status((335545065,)), "demands an encrypted connection"),
        ("Шифрование", Status((335545064,)), "the other does not allow it"),
        ("Вход", Status((335545106,)), "no login method in common"),
    ],
)
def test_the_advice_does_not_depend_on_the_language(words: str, status: Status, sentence: str) -> None:
    assert sentence in explain(error(words, status), "place").message


def test_english_words_alone_make_no_network_error_of_a_statements_error() -> None:
    found = explain(
        fdb.DatabaseError("- SQLCODE: -836\n- exception: connection lost, connection shutdown", -836, 1), "x"
    )
    assert not isinstance(found, SourceUnreachable)


@pytest.mark.parametrize(("code", "setting"), [(335545064, "WireCrypt"), (335545065, "WireCrypt"), (335545106, "Auth")])
def test_a_mismatch_of_the_handshake_names_the_setting(code: int, setting: str) -> None:
    assert setting in explain(error("…", Status((code,))), "x").next_step
