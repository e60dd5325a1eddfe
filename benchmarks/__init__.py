"""Ratios against a peer measured in the same run; see docs/performance.md."""
