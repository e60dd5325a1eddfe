"""What a YML file must be: by our own schema, and by the DTD where that is at hand (``shared/yml.dtd``)."""

from __future__ import annotations

import io

from lxml import etree

from tests.real_nights import ROOT, SHARED

SCHEMA = etree.XMLSchema(etree.parse(str(ROOT / "schemas" / "yml.xsd")))
DTD = SHARED / "yml.dtd"


def schema_errors(data: bytes) -> list[str]:
    """What our own schema refuses in a file."""
    SCHEMA.validate(etree.fromstring(data))
    return [str(error.message) for error in SCHEMA.error_log]


def dtd_errors(data: bytes, profile: str) -> list[str]:
    """What the DTD refuses in a file; Rozetka knows two elements that the DTD lacks."""
    text = DTD.read_text(encoding="utf-8")
    if profile == "rozetka":
        text = text.replace("oldprice?", "price_old?").replace(
            "description?, param*", "description?, stock_quantity?, param*"
        )
        text += "<!ELEMENT price_old (#PCDATA)> <!ELEMENT stock_quantity (#PCDATA)>"
    dtd = etree.DTD(io.StringIO(text))
    valid = dtd.validate(etree.fromstring(data))
    return [] if valid else [str(error.message) for error in dtd.error_log]
