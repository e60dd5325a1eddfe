"""Reads TSGoods.trs, the sync file, and rebuilds the tables of a base from it."""
