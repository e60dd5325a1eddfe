"""WooCommerce through its REST API v3: categories as terms, goods as simple products (docs/woocommerce.md)."""

from stores.woocommerce.adapter import WooCommerceAdapter

__all__ = ["WooCommerceAdapter"]
