"""WooCommerce through its REST API v3: categories as terms, goods as simple products (docs/woocommerce.md)."""

from stores.woocommerce.target import WooCommerceTarget

__all__ = ["WooCommerceTarget"]
