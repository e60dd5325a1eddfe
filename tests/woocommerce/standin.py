"""A loopback WooCommerce: REST API v3 as version 10.0.2 behaves, bad habits and all, in memory.

What is modelled was tried on a live install or read in WordPress's and WooCommerce's own source (docs/woocommerce.md);
``tests/woocommerce/test_standin.py`` pins it row by row. ``faults`` break requests by their number.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

KEY, SECRET = "ck_0123456789abcdef", "cs_fedcba9876543210"
UNCATEGORIZED = 15
Answer = tuple[int, dict[str, str], Any]


class Refusal(Exception):
    """An error of the API."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.data = status, code, message, {"status": status, **data}

    @property
    def body(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "data": self.data}


def entities(text: str) -> str:
    """``&`` becomes ``&amp;`` but where it begins an entity; what is left of ``< >`` becomes entities."""
    text = re.sub(r"&(?!(?:[A-Za-z]{2,8}\d{0,2}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)", "&amp;", text)
    return text.replace("<", "&lt;").replace(">", "&gt;")


def without_tags(text: str) -> str:
    return re.sub(r"<[^>]*>", "", text)


def term_name(text: str) -> str:
    text = re.sub(r"[\r\n\t ]+", " ", without_tags(text)).strip()
    while re.search(r"%[a-fA-F0-9]{2}", text):
        text = re.sub(r"%[a-fA-F0-9]{2}", "", text)
    return entities(text.replace("\\", ""))


def product_name(text: str) -> str:
    return entities(without_tags(text).replace("\\", "")).strip()


def sanitize_title(text: str) -> str:
    text = re.sub(r"&[^;]+;", "", without_tags(text)).lower()
    text = re.sub(r"[^\w\s%-]", "", text)
    text = re.sub(r"[\s-]+", "-", text).strip("-")
    return quote(text, safe="-_%").lower()[:200]


@dataclass
class Shop:
    """What the shop holds. ``limit`` is its batch limit, ``stock`` whether it manages stock at all."""

    terms: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    last_id: int = 100
    writes: int = 0
    limit: int = 100
    stock: bool = True

    def __post_init__(self) -> None:
        self.terms[UNCATEGORIZED] = self._term(UNCATEGORIZED, "Uncategorized", "uncategorized", 0)

    def handle(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        """One request to ``products/categories`` or ``products``."""
        parts = path.strip("/").split("/")
        terms = parts[:2] == ["products", "categories"]
        rest = parts[2:] if terms else parts[1:]
        if parts[0] != "products":
            raise Refusal(404, "rest_no_route", "No route was found matching the URL and request method.")
        if method == "GET" and not rest:
            return self._list(self.terms if terms else self.products, terms, query)
        if method == "POST" and rest == ["batch"]:
            return 200, {}, self._batch(terms, body)
        if method == "POST" and not rest:
            if terms and body.get("id"):
                raise Refusal(404, "woocommerce_rest_term_invalid", "Resource does not exist.")
            if terms and "name" not in body:
                raise Refusal(400, "rest_missing_callback_param", "Missing parameter(s): name", params=["name"])
            return 201, {}, self._create(terms, body)
        if rest and rest[0].isdigit():
            place = int(rest[0])
            if method == "GET":
                return 200, {}, self._shown(self._row(terms, place), {})
            if method == "PUT":
                return 200, {}, self._update(terms, {**body, "id": place})
            if method == "DELETE":
                return 200, {}, self._delete(terms, place, query.get("force") == "true")
        raise Refusal(404, "rest_no_route", "No route was found matching the URL and request method.")

    def _list(self, rows: dict[int, dict[str, Any]], terms: bool, query: dict[str, str]) -> Answer:
        per_page, page = int(query.get("per_page", 10)), int(query.get("page", 1))
        if per_page > 100:
            raise Refusal(400, "rest_invalid_param", "Invalid parameter(s): per_page", params={"per_page": "…"})
        found = [self._counted(row) if terms else row for _, row in sorted(rows.items())]
        if query.get("orderby", "name" if terms else "date") == "name":
            found.sort(key=lambda row: row["name"])
        if query.get("include"):
            ids = {int(part) for part in query["include"].split(",")}
            found = [row for row in found if row["id"] in ids]
        if not terms:
            status = query.get("status", "any")
            found = [row for row in found if row["status"] == status or (status == "any" and row["status"] != "trash")]
            if query.get("sku"):
                found = [row for row in found if row["sku"] in query["sku"].split(",")]
        pages = -(-len(found) // per_page)
        some = found[(page - 1) * per_page : page * per_page]
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return 200, headers, [self._shown(row, query) for row in some]

    def _counted(self, term: dict[str, Any]) -> dict[str, Any]:
        inside = (p for p in self.products.values() if p["status"] == "publish")
        return {**term, "count": sum(term["id"] in [c["id"] for c in p["categories"]] for p in inside)}

    def _shown(self, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        fields = query.get("_fields")
        row = {key: value for key, value in row.items() if key != "modified"}
        if "categories" in row:
            row["categories"] = [{"id": c["id"], "name": "…", "slug": "…"} for c in row["categories"]]
        return {key: value for key, value in row.items() if fields is None or key in fields.split(",")}

    def _row(self, terms: bool, place: int) -> dict[str, Any]:
        rows = self.terms if terms else self.products
        if place not in rows:
            if terms:
                raise Refusal(404, "woocommerce_rest_term_invalid", "Resource does not exist.")
            raise Refusal(400, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return rows[place]

    def _batch(self, terms: bool, body: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        if sum(len(body.get(verb) or ()) for verb in ("create", "update", "delete")) > self.limit:
            raise Refusal(
                413,
                "woocommerce_rest_request_entity_too_large",
                f"Unable to accept more than {self.limit} items for this request.",
            )
        out: dict[str, list[Any]] = {}
        for verb, act in (("create", self._create), ("update", self._update)):
            for item in body.get(verb) or ():
                try:
                    row = self._shown(act(terms, item), {})
                except Refusal as refusal:
                    row = {"id": item.get("id", 0), "error": refusal.body}
                out.setdefault(verb, []).append(row)
        return out

    def _create(self, terms: bool, body: dict[str, Any]) -> dict[str, Any]:
        self.writes += 1
        return self._create_term(body) if terms else self._create_product(body)

    def _update(self, terms: bool, body: dict[str, Any]) -> dict[str, Any]:
        self.writes += 1
        row = self._row(terms, int(body["id"]))
        return self._update_term(row, body) if terms else self._update_product(row, body)

    # --- terms: wp_insert_term, wp_update_term, wp_unique_term_slug ----------------------------------------------

    def _term(self, place: int, name: str, slug: str, parent: int) -> dict[str, Any]:
        return {
            "id": place, "name": name, "slug": slug, "parent": parent, "description": "", "display": "default",
            "image": None, "menu_order": 0, "count": 0, "modified": self.writes,
        }  # fmt: skip

    def _create_term(self, body: dict[str, Any]) -> dict[str, Any]:
        if not str(body.get("name") or "").strip():
            raise Refusal(400, "empty_term_name", "A name is required for this term.")
        parent = int(body.get("parent") or 0)
        if parent and parent not in self.terms:
            raise Refusal(400, "missing_parent", "Parent term does not exist.")
        name = term_name(body["name"])
        given = sanitize_title(body.get("slug") or "")
        slug = given or sanitize_title(name)
        siblings = [term for term in self.terms.values() if term["parent"] == parent]
        named = next((term for term in siblings if term["name"] == name), None)
        slugged = next((term for term in self.terms.values() if term["slug"] == slug), None)
        if named is not None and (not given or named["slug"] == slug or slugged is not None):
            existing = None
            if not given or named["slug"] == slug:
                existing = named
            elif slugged is not None and slugged in siblings:
                existing = slugged  # of another name: its id is given all the same
            if existing is not None:
                raise Refusal(
                    400, "term_exists", "A term with the name provided already exists with this parent.",
                    resource_id=existing["id"],
                )  # fmt: skip
        if len(name) > 200:
            raise Refusal(400, "db_insert_error", "Could not insert term into the database.")
        self.last_id += 1
        self.terms[self.last_id] = self._term(self.last_id, name, self._unique(slug, parent), parent)
        return self.terms[self.last_id]

    def _unique(self, slug: str, parent: int) -> str:
        taken = {term["slug"] for term in self.terms.values()}
        if slug not in taken:
            return slug
        suffix = ""
        while parent:
            suffix += "-" + self.terms[parent]["slug"]
            if slug + suffix not in taken:
                break
            parent = self.terms[parent]["parent"]
        slug += suffix
        number = 2
        while slug in taken:
            slug, number = re.sub(r"-\d+$", "", slug) + f"-{number}", number + 1
        return slug

    def _update_term(self, term: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        parent = int(body.get("parent", term["parent"]))
        if parent and parent not in self.terms:
            raise Refusal(500, "missing_parent", "Parent term does not exist.")
        if "name" in body and len(term_name(body["name"])) <= 200:
            term["name"] = term_name(body["name"])
        above: int = parent
        while above:
            if above == term["id"]:  # a loop: dropped without a word
                parent = 0
                break
            above = self.terms[above]["parent"]
        term["parent"] = parent
        for key in ("slug", "description", "display", "menu_order"):
            term[key] = body.get(key, term[key])
        term["modified"] = self.writes
        return term

    # --- products -------------------------------------------------------------------------------------------------

    def _create_product(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("id"):
            raise Refusal(400, "woocommerce_rest_product_exists", "Cannot create existing product.")
        self._check_sku(body.get("sku", ""), 0)
        self.last_id += 1
        row = {
            "id": self.last_id, "name": "", "slug": "", "sku": "", "type": "simple", "status": "publish",
            "catalog_visibility": "visible", "regular_price": "", "sale_price": "", "manage_stock": False,
            "stock_quantity": None, "stock_status": "instock", "short_description": "", "description": "",
            "categories": [{"id": UNCATEGORIZED}], "images": [], "modified": 0,
        }  # fmt: skip
        wanted = sanitize_title(body.get("slug") or body.get("name") or "")
        taken = {product["slug"] for product in self.products.values()}
        slug, number = wanted, 2
        while slug in taken:
            slug, number = f"{wanted}-{number}", number + 1
        self.products[self.last_id] = row
        return self._update_product(row, {**body, "slug": slug})

    def _check_sku(self, sku: str, place: int) -> None:
        for product in self.products.values():
            if sku and product["sku"] == sku and product["id"] != place and product["status"] != "trash":
                raise Refusal(
                    400, "product_invalid_sku", "Invalid or duplicated SKU.", resource_id=product["id"], unique_sku="…"
                )

    def _update_product(self, row: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        self._check_sku(body.get("sku", ""), row["id"])
        if body.get("name") is not None:
            row["name"] = product_name(body["name"])
        for key in ("slug", "sku", "type", "status", "catalog_visibility", "regular_price", "sale_price"):
            if body.get(key) is not None:
                row[key] = body[key]
        row["short_description"] = body.get("short_description", row["short_description"])
        if self.stock and body.get("manage_stock") is not None:
            row["manage_stock"] = body["manage_stock"]
        if row["manage_stock"] and body.get("stock_quantity") is not None:
            row["stock_quantity"] = int(body["stock_quantity"])
            row["stock_status"] = "instock" if row["stock_quantity"] > 0 else "outofstock"
        elif body.get("stock_status"):
            row["stock_status"] = body["stock_status"]
        if isinstance(body.get("categories"), list):
            known = [{"id": c["id"]} for c in body["categories"] if c.get("id") in self.terms]
            row["categories"] = known or [{"id": UNCATEGORIZED}]
        row["modified"] = self.writes
        return row

    def _delete(self, terms: bool, place: int, force: bool) -> dict[str, Any]:
        row = self._row(terms, place)
        if not terms:
            row["status"] = "trash"
            return row
        if not force:
            raise Refusal(501, "woocommerce_rest_trash_not_supported", "Terms do not support trashing.")
        if place == UNCATEGORIZED:
            raise Refusal(500, "woocommerce_rest_cannot_delete", "Default product category cannot be deleted.")
        del self.terms[place]
        for term in self.terms.values():
            if term["parent"] == place:
                term["parent"] = row["parent"]
        for product in self.products.values():
            product["categories"] = [c for c in product["categories"] if c["id"] != place]
        return row


@dataclass
class Fault:
    """What becomes of one request: ``status`` with ``headers``, or ``cut``, or no answer for ``wait`` seconds.

    ``applied``: it is carried out first (``half``: the first half of a batch), and only its answer is lost.
    """

    status: int = 0
    cut: bool = False
    wait: float = 0.0
    applied: bool = False
    half: bool = False
    text: str = '{"code":"internal_server_error","message":"There has been a critical error on this website."}'
    headers: dict[str, str] = field(default_factory=dict)


class StandIn:
    """The server: ``faults`` by the number of the request (from 1), ``log`` of (method, path, query, body)."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.faults: dict[int, Fault] = {}
        self.write_faults: dict[int, Fault] = {}
        self.log: list[tuple[str, str, dict[str, str], Any]] = []
        self.writes = 0
        self.broken = 0
        self.before: Any = None  # called with (method, path, body) ahead of each request
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=lambda: self.server.serve_forever(0.02), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def image(self) -> Any:
        return copy.deepcopy((self.shop.terms, self.shop.products))

    def count(self, method: str) -> int:
        return sum(entry[0] == method for entry in self.log)

    def forget(self) -> None:
        """Start counting requests anew, without faults."""
        self.log, self.faults, self.write_faults, self.writes, self.broken = [], {}, {}, 0, 0

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: Any) -> None:
                pass

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                parts = urlsplit(self.path)
                query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                path = parts.path.removeprefix("/wp-json/wc/v3")
                answer = stand_in.answer(self.command, path, query, body, self.headers.get("Authorization", ""))
                if answer is None:
                    self.close_connection = True
                    self.connection.close()
                    return
                status, headers, content = answer
                data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    self.wfile.write(data)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_DELETE = _serve

        return Handler

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, auth: str) -> Answer | None:
        """What the server answers; None cuts the connection."""
        if self.before is not None:
            self.before(method, path, body)
        with self.lock:
            self.log.append((method, path, query, body))
            self.writes += method != "GET"
            fault = self.faults.get(len(self.log)) or (method != "GET" and self.write_faults.get(self.writes)) or None
            if fault is None or fault.applied or fault.half:
                found = self._answer(method, path, query, _half(body) if fault and fault.half else body, auth)
        if fault is None:
            return found
        self.broken += 1
        time.sleep(fault.wait)
        return None if fault.cut or fault.wait else (fault.status, fault.headers, fault.text)

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any, auth: str) -> Answer:
        right = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        try:
            if auth != right:
                raise Refusal(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
            return self.shop.handle(method, path, query, body)
        except Refusal as refusal:
            return refusal.status, {}, refusal.body


def _half(body: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {verb: rows[: len(rows) // 2] for verb, rows in body.items()}


@contextmanager
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    try:
        yield server
    finally:
        server.close()
