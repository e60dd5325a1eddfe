"""Declarations of every table and setting that two folders share; imports nothing of ours.

Column lists, dtypes, settings and reason codes are written here once. Empty frames, SQL tables, sample headers and
documentation pages are derived from them.
"""
