"""OpenCart's tables as five real installs have them (shared facts: docs/opencart.md), as far as a catalogue goes.

``VERSIONS`` maps a name to (traits, engine, charset): 3.0 on MyISAM and on InnoDB, ocStore, 4.0 and 4.1.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

VERSIONS = {
    "3.0": ("3", "MyISAM", "utf8mb3"),
    "3.0-innodb": ("3", "InnoDB", "utf8mb4"),
    "ocstore": ("ocstore", "MyISAM", "utf8mb3"),
    "4.0": ("4.0", "InnoDB", "utf8mb4"),
    "4.1": ("4.1", "InnoDB", "utf8mb4"),
}

_PRODUCT_30 = """
    product_id int(11) NOT NULL AUTO_INCREMENT, model varchar(64) NOT NULL, sku varchar(64) NOT NULL,
    upc varchar(12) NOT NULL, ean varchar(14) NOT NULL, jan varchar(13) NOT NULL, isbn varchar(17) NOT NULL,
    mpn varchar(64) NOT NULL, location varchar(128) NOT NULL, quantity int(4) NOT NULL DEFAULT 0,
    stock_status_id int(11) NOT NULL, image varchar(255) DEFAULT NULL, manufacturer_id int(11) NOT NULL,
    shipping tinyint(1) NOT NULL DEFAULT 1, price decimal(15,4) NOT NULL DEFAULT 0, points int(8) NOT NULL DEFAULT 0,
    tax_class_id int(11) NOT NULL, date_available date NOT NULL DEFAULT '0000-00-00',
    weight decimal(15,8) NOT NULL DEFAULT 0, weight_class_id int(11) NOT NULL DEFAULT 0,
    length decimal(15,8) NOT NULL DEFAULT 0, width decimal(15,8) NOT NULL DEFAULT 0,
    height decimal(15,8) NOT NULL DEFAULT 0, length_class_id int(11) NOT NULL DEFAULT 0,
    subtract tinyint(1) NOT NULL DEFAULT 1, minimum int(11) NOT NULL DEFAULT 1, sort_order int(11) NOT NULL DEFAULT 0,
    status tinyint(1) NOT NULL DEFAULT 0, viewed int(5) NOT NULL DEFAULT 0, {more}
    date_added datetime NOT NULL, date_modified datetime NOT NULL, PRIMARY KEY (product_id)"""
_PRODUCT_40 = """
    product_id int(11) NOT NULL AUTO_INCREMENT, master_id int(11) NOT NULL DEFAULT 0, model varchar(64) NOT NULL,
    sku varchar(64) NOT NULL, upc varchar(12) NOT NULL, ean varchar(14) NOT NULL, jan varchar(13) NOT NULL,
    isbn varchar(17) NOT NULL, mpn varchar(64) NOT NULL, location varchar(128) NOT NULL, variant text NOT NULL,
    override text NOT NULL, quantity int(4) NOT NULL DEFAULT 0, stock_status_id int(11) NOT NULL,
    image varchar(255) NOT NULL, manufacturer_id int(11) NOT NULL, shipping tinyint(1) NOT NULL DEFAULT 1,
    price decimal(15,4) NOT NULL DEFAULT 0, points int(8) NOT NULL DEFAULT 0, tax_class_id int(11) NOT NULL,
    date_available date NOT NULL, weight decimal(15,8) NOT NULL DEFAULT 0, weight_class_id int(11) NOT NULL DEFAULT 0,
    length decimal(15,8) NOT NULL DEFAULT 0, width decimal(15,8) NOT NULL DEFAULT 0,
    height decimal(15,8) NOT NULL DEFAULT 0, length_class_id int(11) NOT NULL DEFAULT 0,
    subtract tinyint(1) NOT NULL DEFAULT 1, minimum int(11) NOT NULL DEFAULT 1, rating int(1) NOT NULL,
    sort_order int(11) NOT NULL DEFAULT 0, status tinyint(1) NOT NULL DEFAULT 0, date_added datetime NOT NULL,
    date_modified datetime NOT NULL, PRIMARY KEY (product_id)"""
_PRODUCT_41 = """
    product_id int(11) NOT NULL AUTO_INCREMENT, master_id int(11) DEFAULT 0, model varchar(64), location varchar(128),
    variant text, override text, quantity int(4) DEFAULT 0, stock_status_id int(11), image varchar(255),
    manufacturer_id int(11), shipping tinyint(1) DEFAULT 1, price decimal(15,4) DEFAULT 0, points int(8) DEFAULT 0,
    tax_class_id int(11), date_available date, weight decimal(15,8) DEFAULT 0, weight_class_id int(11) DEFAULT 0,
    length decimal(15,8) DEFAULT 0, width decimal(15,8) DEFAULT 0, height decimal(15,8) DEFAULT 0,
    length_class_id int(11) DEFAULT 0, subtract tinyint(1) DEFAULT 1, minimum int(11) DEFAULT 1, rating int(1),
    sort_order int(11) DEFAULT 0, status tinyint(1) DEFAULT 0, date_added datetime, date_modified datetime,
    PRIMARY KEY (product_id)"""


def _tables(traits: str) -> dict[str, str]:
    new, oldest, ocstore = traits.startswith("4"), traits in ("3", "ocstore"), traits == "ocstore"
    null = "" if traits == "4.1" else "NOT NULL"
    h1 = ", meta_h1 varchar(255) NOT NULL" if ocstore else ""
    texts = f"""language_id int(11) NOT NULL, name varchar(255) {null}, description {{kind}} {null},
        meta_title varchar(255) {null}, meta_description varchar(255) {null}, meta_keyword varchar(255) {null}{h1}"""
    if traits == "4.1":
        category = """category_id int(11) NOT NULL AUTO_INCREMENT, image varchar(255), parent_id int(11) DEFAULT 0,
            sort_order int(3) DEFAULT 0, status tinyint(1), PRIMARY KEY (category_id)"""
    else:
        category = f"""category_id int(11) NOT NULL AUTO_INCREMENT,
            image varchar(255) {"NOT NULL" if new else "DEFAULT NULL"}, parent_id int(11) NOT NULL DEFAULT 0,
            top tinyint(1) NOT NULL, `column` int(3) NOT NULL, sort_order int(3) NOT NULL DEFAULT 0,
            status tinyint(1) NOT NULL, {"noindex tinyint(1) NOT NULL DEFAULT 1," if ocstore else ""}
            date_added datetime NOT NULL, date_modified datetime NOT NULL, PRIMARY KEY (category_id)"""
    seo = "seo_url_id int(11) NOT NULL AUTO_INCREMENT, store_id int(11) NOT NULL, language_id int(11) NOT NULL,"
    seo += (
        "`key` varchar(64) NOT NULL, `value` varchar(255) NOT NULL, keyword varchar(768) NOT NULL,"
        " sort_order int(3) NOT NULL, PRIMARY KEY (seo_url_id)"
        if new
        else "query varchar(255) NOT NULL, keyword varchar(255) NOT NULL, PRIMARY KEY (seo_url_id),"
        " KEY query (query), KEY keyword (keyword)"
    )
    noindex = "noindex tinyint(1) NOT NULL DEFAULT 1," if ocstore else ""
    main = ", main_category tinyint(1) NOT NULL DEFAULT 0" if ocstore else ""
    product = {"4.0": _PRODUCT_40, "4.1": _PRODUCT_41}.get(traits, _PRODUCT_30.format(more=noindex))
    long = "text" if oldest else "mediumtext"
    tables = {
        "category": category,
        "category_description": f"category_id int(11) NOT NULL, {texts.format(kind=long)},"
        " PRIMARY KEY (category_id, language_id), KEY name (name)",
        "category_path": "category_id int(11) NOT NULL, path_id int(11) NOT NULL, level int(11) NOT NULL,"
        " PRIMARY KEY (category_id, path_id)",
        "category_to_store": "category_id int(11) NOT NULL, store_id int(11) NOT NULL,"
        " PRIMARY KEY (category_id, store_id)",
        "category_to_layout": "category_id int(11) NOT NULL, store_id int(11) NOT NULL, layout_id int(11) NOT NULL,"
        " PRIMARY KEY (category_id, store_id)",
        "seo_url": seo,
        "product": product,
        "product_description": f"product_id int(11) NOT NULL, {texts.format(kind='text')}, tag text {null},"
        " PRIMARY KEY (product_id, language_id), KEY name (name)",
        "product_to_store": "product_id int(11) NOT NULL, store_id int(11) NOT NULL DEFAULT 0,"
        " PRIMARY KEY (product_id, store_id)",
        "product_to_category": f"product_id int(11) NOT NULL, category_id int(11) NOT NULL{main},"
        " PRIMARY KEY (product_id, category_id), KEY category_id (category_id)",
        "language": "language_id int(11) NOT NULL AUTO_INCREMENT, name varchar(32) NOT NULL, code varchar(5) NOT NULL,"
        " sort_order int(3) NOT NULL DEFAULT 0, status tinyint(1) NOT NULL, PRIMARY KEY (language_id)",
        "setting": "setting_id int(11) NOT NULL AUTO_INCREMENT, store_id int(11) NOT NULL DEFAULT 0,"
        " code varchar(128) NOT NULL, `key` varchar(128) NOT NULL, value text NOT NULL, serialized tinyint(1) NOT NULL,"
        " PRIMARY KEY (setting_id)",
        "store": "store_id int(11) NOT NULL AUTO_INCREMENT, name varchar(64) NOT NULL, url varchar(255) NOT NULL,"
        " PRIMARY KEY (store_id)",
        "order_product": "order_product_id int(11) NOT NULL AUTO_INCREMENT, order_id int(11) NOT NULL,"
        " product_id int(11) NOT NULL, PRIMARY KEY (order_product_id)",
    }
    if traits == "4.1":
        tables["product_code"] = (
            "product_code_id int(11) NOT NULL AUTO_INCREMENT, product_id int(11) NOT NULL, code varchar(48) NOT NULL,"
            " value varchar(255) NOT NULL, PRIMARY KEY (product_code_id), KEY product_id (product_id)"
        )
    return tables


TABLES = tuple(_tables("4.1"))


def create(connection: Connection, version: str, prefix: str = "oc_") -> None:
    """Empty tables of a version."""
    traits, engine, charset = VERSIONS[version]
    connection.execute(text("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'"))  # as OpenCart's installer: zero dates
    for name, columns in _tables(traits).items():
        connection.execute(text(f"CREATE TABLE `{prefix}{name}` ({columns}) ENGINE={engine} DEFAULT CHARSET={charset}"))
    connection.commit()


def populate(connection: Connection, version: str, prefix: str = "oc_") -> None:
    """Ukrainian (2, the shop's own), English (1) and a disabled language (3), and the shop's settings."""
    connection.execute(
        text(f"INSERT INTO `{prefix}language` (language_id, name, code, sort_order, status) VALUES"
             " (1, 'English', 'en-gb', 1, 1), (2, 'Українська', 'uk-ua', 2, 1), (3, 'Polski', 'pl-pl', 3, 0)")
    )  # fmt: skip
    traits = VERSIONS[version][0]
    key = "config_language_catalog" if traits == "4.1" else "config_language"
    settings = {key: "uk-ua", "config_stock_status_id": "7", "config_weight_class_id": "1"}
    for name, value in settings.items():
        connection.execute(
            text(f"INSERT INTO `{prefix}setting` (store_id, code, `key`, value, serialized) VALUES"
                 " (0, 'config', :name, :value, 0)"), {"name": name, "value": value},
        )  # fmt: skip
    connection.commit()
