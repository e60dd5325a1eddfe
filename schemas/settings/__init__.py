"""The settings of a shop: shop.toml as pydantic models."""
