"""A password never leaks, and words that are no secret stay readable, also where a password equals one of them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import make_url

from database.scrubbing import own_words, public_words, secrets_in, without
from engine.secrets import scrubbed
from schemas.settings.shop import Shop, parse_shop

WORDS = st.text("abc1", min_size=1, max_size=8)
ANYTHING = st.text("abc1:@/?=&%. -_'ї", max_size=12)
EQUAL = make_url("postgresql+psycopg://cosmetics:cosmetics@db.example/cosmetics?sslpassword=cosmetics")


@given(secret=st.text("abc1:@/?=&%. -ї", min_size=3, max_size=8), public=st.lists(WORDS), parts=st.lists(ANYTHING))
@example(secret="sync 77", public=[], parts=["torg", " 77"])
@example(secret="torgsync-77", public=["torgsync"], parts=["torgsync-77"])
@example(secret="aa", public=[], parts=["a", "aa"])
def test_a_secret_that_is_no_part_of_a_public_word_is_never_told(secret, public, parts):
    if any(secret in word for word in ("torgsync", *public)) or len(secret) < 3:
        return
    text = "".join(part + extra for part in parts for extra in (secret, *public, ""))
    assert secret not in without(secret.join([text, "", text]), [secret], public)


@given(secret=WORDS, more=st.lists(WORDS), words=st.lists(WORDS))
def test_a_public_word_that_is_the_password_as_well_stays_where_it_is_no_password(secret, more, words):
    text = " ".join(f"shop {secret}: «{word}», ({secret}) torgsync runs {secret}; {secret}_1" for word in words)
    assert without(text, [secret], [secret, *more]) == text


@given(user=WORDS, password=WORDS, host=WORDS, database=WORDS)
@example(user="a", password="a", host="a", database="a")
@example(user="abcabc", password="abc", host="1abc1", database="abc")
def test_a_url_is_told_whole_but_for_its_password(user, password, host, database):
    url = f"x://{user}:{password}@{host}/{database}"
    assert without(url, secrets_in(url), public_words(url)) == f"x://{user}:…@{host}/{database}"


@given(user=st.text("ab@:/?#&=%ї", min_size=1, max_size=6), password=st.text("ab@:/?#&=%ї", min_size=3, max_size=9))
def test_no_password_with_special_characters_is_told_in_either_form(user, password):
    """Except inside a user's name of which it is a part."""
    if password in user or quote(password, safe="") in quote(user, safe=""):
        return
    url = make_url(f"postgresql+psycopg://{quote(user, safe='')}:{quote(password, safe='')}@db/shop")
    assert url.password == password
    for form in (password, quote(password, safe=""), url.render_as_string(hide_password=False).split("://")[1]):
        told = own_words(Exception(f"cannot connect with [{form}]"), url)
        assert password not in told
        assert quote(password, safe="") not in told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('FATAL:  database "cosmetics" does not exist', None),
        ('FATAL:  password authentication failed for user "cosmetics"', None),
        ("Access denied for user 'cosmetics'@'localhost' (using password: YES)", None),
        ("user=cosmetics password=cosmetics host=db.example", "user=cosmetics password=… host=db.example"),
        ("{'user': 'cosmetics', 'passwd': 'cosmetics'}", "{'user': 'cosmetics', 'passwd': '…'}"),
        ("no such host in cosmetics:cosmetics@db.example", "no such host in cosmetics:…@db.example"),
        (str(EQUAL.render_as_string(hide_password=False)),
         "postgresql+psycopg://cosmetics:…@db.example/cosmetics?sslpassword=…"),
    ],
)  # fmt: skip
def test_a_driver_may_name_the_user_whose_password_is_the_same_word(said, told):
    assert own_words(Exception(said), EQUAL) == (told or said)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://torg:pw@db:5432/shop", ["torg", "db:5432", "db", "shop"]),
        ("postgresql://t%40rg:pw@db/shop?sslpassword=x", ["t%40rg", "db", "shop", "t@rg"]),
        ("postgresql://torg:hun@ter@db/shop", []),
        ("postgresql://torg:hun/t@db/shop", []),
        ("postgresql://db/shop?password=hunter@letmein", []),
        ("hunter77", []),
    ],
)
def test_the_public_words_of_a_url_hold_no_part_of_a_password(url, words):
    assert public_words(url) == words


def shop(tmp_path, monkeypatch: pytest.MonkeyPatch, password: str) -> Shop:
    monkeypatch.setenv("BASE", password)
    monkeypatch.setenv("WEB", f"postgresql+psycopg://torg:{password}@db/web")
    return parse_shop(
        'name = "cosmetics"\n[source]\ndsn = "base.fdb"\nuser = "SYSDBA"\npassword_env = "BASE"\n'
        '[[stores]]\nname = "site"\nkind = "sql"\nurl_env = "WEB"\n',
        tmp_path / "shop.toml",
    )


@pytest.mark.parametrize("word", ["cosmetics", "site", "SYSDBA", "torg", "db", "web", "torgsync"])
def test_a_message_of_a_shop_keeps_its_names_when_one_of_them_is_the_password(tmp_path, monkeypatch, word):
    told = "shop cosmetics: store site: SYSDBA and torg reach db and web; next: torgsync runs cosmetics"
    settings = shop(tmp_path, monkeypatch, word)
    assert scrubbed(settings, told) == told
    assert scrubbed(settings, f"{told}: password = '{word}' [x://torg:{word}@db]") == (
        f"{told}: password = '…' [x://torg:…@db]"
    )


def test_a_password_like_no_name_is_told_nowhere(tmp_path, monkeypatch):
    settings = shop(tmp_path, monkeypatch, "hunter77")
    assert scrubbed(settings, "hunter77, xhunter77x, WEB=postgresql+psycopg://torg:hunter77@db/web") == "…, x…x, WEB=…"
