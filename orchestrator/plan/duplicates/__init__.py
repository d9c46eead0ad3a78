"""Duplicates: which files are the same music, by which evidence, and which copy stays. Pure.

`find.find_duplicates` answers for any files, `planner.plan_dedup` makes a plan of it. A file goes only for one that stays and is
directly known to be the same: likeness is never handed on along a chain.
"""
