"""Settings that nobody would obey, and secrets in them, are refused with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.settings.delivery import PROTOCOL_KEYS, PROTOCOLS, DeliverySettings
from stores.delivery import GAPS, Destination

DOCS = Path(__file__).parents[2] / "docs" / "delivery.md"
LOGIN = {"user": "feed", "password_env": "FEED_PASSWORD"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target": " "}, "is empty"),
        ({"target": "ftp://feed:secret@host/"}, "a password is in the URL"),
        ({"target": "sftp://feed:sec/ret@host/"}, "cannot be read"),
        ({"target": "ftp://feed:12/secret@host/"}, "%40"),
        ({"target": "ftp://feed:sec#ret@host/"}, "cannot be read"),
        ({"target": "ftps://host:secret/"}, "cannot be read"),
        ({"target": "ftp://[secret/"}, "cannot be read"),
        ({"target": "https://host/feed.xml"}, "takes no files"),
        ({"target": "sft://host/"}, 'did you mean "sftp"?'),
        ({"target": "folder://host/"}, "no protocol"),
        ({"target": "ftp:///feeds"}, "names no host"),
        ({"target": "s3:///feeds", **LOGIN}, "names no bucket"),
        ({"target": "s3://key@bucket/feeds"}, "user"),
        ({"target": "ftp://host/a?b", **LOGIN}, "%3F"),
        ({"target": "ftp://host/../etc", **LOGIN}, ".."),
        ({"target": "ftp://host/a%0d%0aDELE%20b", **LOGIN}, "control character"),
        ({"target": "ftp://host/"}, "give user"),
        ({"target": "ftp://feed@host/"}, "give password_env"),
        ({"target": "sftp://feed@host/"}, "or key_file"),
        ({"target": "ftp://feed@host/", **LOGIN}, "in the URL and in user"),
        ({"target": "ftp://host/", "user": "feed", "password_env": "my password"}, "not the password itself"),
        ({"target": "ftp://host/", **LOGIN, "cafile": "ca.pem"}, "cafile means nothing for ftp://"),
        ({"target": "feeds", "user": "feed"}, "user means nothing for a folder"),
        ({"target": "sftp://host/", **LOGIN, "passive": False}, "passive means nothing for sftp://"),
        ({"target": "sftp://host/", **LOGIN, "host_fingerprint": "MD5:aa"}, "SHA256"),
        ({"target": "sftp://host/", **LOGIN, "host_fingerprint": "SHA256:" + "a" * 43, "known_hosts": "k"}, "not both"),
        ({"target": "s3://bucket/", **LOGIN, "endpoint": "minio:9000"}, "an address like"),
        ({"target": "s3://bucket/", **LOGIN, "endpoint": "https://a:secret@minio"}, "without a login"),
        ({"target": "feeds", "timeout_seconds": 0}, "greater than 0"),
        ({"target": "feeds", "pasive": True}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused_without_showing_a_secret(given, words):
    with pytest.raises(ValidationError) as caught:
        DeliverySettings(**given)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def target(url: str, **keys: object) -> Destination:
    return Destination(DeliverySettings(target=url, **{**LOGIN, **keys}), Path("shop"))


@pytest.mark.parametrize(
    ("url", "host", "port", "folder", "place"),
    [
        ("ftp://host", "host", 21, "/", "ftp://host"),
        ("ftps://host/", "host", 21, "/", "ftps://host"),
        ("sftp://host:2222/a/b/", "host", 2222, "/a/b", "sftp://host:2222/a/b"),
        ("sftp://host/~/feeds", "host", 22, "feeds", "sftp://host/~/feeds"),
        ("sftp://host/~", "host", 22, ".", "sftp://host/~"),
        ("FTP://host/%D1%84%20id", "host", 21, "/ф id", "ftp://host/%D1%84%20id"),
        ("ftp://[::1]:2121/a", "::1", 2121, "/a", "ftp://[::1]:2121/a"),
    ],
)
def test_a_url_says_where(url, host, port, folder, place):
    found = target(url)
    assert (found.host, found.port, found.remote_folder, found.label) == (host, port, folder, place)


def test_a_bucket_and_its_prefix_are_read_from_the_url():
    found = target("s3://bucket/a/b/")
    assert (found.host, found.remote_folder, found.label) == ("bucket", "a/b", "s3://bucket/a/b")


def test_the_login_may_stand_in_the_url_and_is_never_shown():
    found = target("sftp://me%40shop@host/a", user=None)
    assert (found.user, found.label) == ("me@shop", "sftp://host/a")


def test_a_relative_folder_is_the_shops():
    found = Destination(DeliverySettings(target="output"), Path("shop"))
    assert (found.folder, found.is_folder) == (Path("shop/output").resolve(), True)


def test_settings_are_made_of_any_store_that_has_their_keys():
    class Store(DeliverySettings):
        name: str
        filename: str = "TSGoods.trs"

    store = Store(name="site", target="ftp://host/", **LOGIN)
    assert DeliverySettings.of(store) == DeliverySettings(target="ftp://host/", **LOGIN)


def test_every_setting_every_protocol_and_every_gap_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    assert [key for key in DeliverySettings.model_fields if f"`{key}`" not in text] == []
    for protocol in PROTOCOLS[1:]:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{protocol}://"))
        assert [key for key in PROTOCOL_KEYS[protocol] if f"`{key}`" not in row] == []
    assert [gap for gaps in GAPS.values() for gap in gaps if gap not in text] == []
