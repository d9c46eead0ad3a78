"""The SQL of the comparison. `l` is a listed file, `e` a known one, `p` the pair of the two.

CROSS JOIN keeps SQLite from swapping the loops: it goes through the listing and looks up the catalogue.
"""

from __future__ import annotations

from typing import Final

from orchestrator.catalogue.rows import IS_OURS

CREATE_TEMPORARY: Final = (
    """
    CREATE TEMP TABLE listed (
        id INTEGER PRIMARY KEY, path BLOB, remote_id TEXT, size INTEGER, mtime_ns INTEGER, hashes TEXT, kind TEXT
    )
    """,
    "CREATE TEMP TABLE pair (listed INTEGER PRIMARY KEY, entry INTEGER NOT NULL UNIQUE, same_content INTEGER NOT NULL)",
    """
    CREATE TEMP TABLE unpaired (
        hashes TEXT, size INTEGER, kind TEXT, number INTEGER, entry INTEGER, PRIMARY KEY (hashes, size, kind, number)
    ) WITHOUT ROWID
    """,
)
DROP_TEMPORARY: Final = tuple(f"DROP TABLE IF EXISTS temp.{table}" for table in ("listed", "pair", "unpaired", "copy"))

ADD_LISTED: Final = "INSERT INTO listed (path, remote_id, size, mtime_ns, hashes, kind) VALUES (?, ?, ?, ?, ?, ?)"
KEEP_KNOWN: Final = """
    INSERT INTO listed (path, remote_id, size, mtime_ns, hashes, kind)
    SELECT e.path, e.remote_id, e.size, e.mtime_ns, e.hashes, e.kind FROM entry AS e
    WHERE e.location = (SELECT id FROM location WHERE fs = ?) AND (e.path = ? OR (e.path >= ? AND e.path < ?))
"""
COUNT_LISTED: Final = "SELECT count(*), count(nullif(kind, '')) FROM listed"

_SAME_KEY: Final = "(e.path = l.path AND e.remote_id = l.remote_id)"
_SAME_CONTENT: Final = """(
    l.size IS e.size AND l.kind = e.kind AND l.hashes = e.hashes AND (l.hashes <> '' OR l.mtime_ns IS e.mtime_ns)
)"""
_SAME_ROW: Final = f"({_SAME_KEY} AND {_SAME_CONTENT} AND l.mtime_ns IS e.mtime_ns)"
_KNOWN: Final = f"(e.location = :location AND NOT {IS_OURS})"
_LISTED_UNPAIRED: Final = "l.id NOT IN (SELECT listed FROM pair)"
_KNOWN_UNPAIRED: Final = "e.id NOT IN (SELECT entry FROM pair)"

NEW_GENERATION: Final = "UPDATE location SET generation = generation + 1, scanned_ns = :now WHERE id = :location"
COUNT_KNOWN: Final = f"SELECT count(*) FROM entry AS e WHERE {_KNOWN}"
COUNT_SAME: Final = f"""
    SELECT count(*) FROM listed AS l CROSS JOIN entry AS e ON e.location = :location AND {_SAME_ROW}
"""

LISTED_TWICE: Final = "SELECT path FROM listed GROUP BY path, remote_id HAVING count(*) > 1"
DROP_REPEATED: Final = "DELETE FROM listed WHERE id NOT IN (SELECT min(id) FROM listed GROUP BY path, remote_id)"

PAIRING: Final = (
    # Same path, same content.
    f"""
    INSERT OR IGNORE INTO pair
    SELECT l.id, e.id, 1 FROM listed AS l CROSS JOIN entry AS e ON e.location = :location AND {_SAME_KEY}
    WHERE {_SAME_CONTENT}
    """,
    # Same id on the remote.
    f"""
    INSERT OR IGNORE INTO pair
    SELECT l.id, e.id, {_SAME_CONTENT} FROM listed AS l
    CROSS JOIN entry AS e ON e.location = :location AND e.remote_id = l.remote_id AND e.remote_id <> ''
    WHERE l.remote_id <> '' AND {_LISTED_UNPAIRED} AND {_KNOWN_UNPAIRED}
    """,
    # Equal hashes: a rename. Several files with the same content are paired in the order of their paths.
    f"""
    INSERT INTO unpaired
    SELECT e.hashes, e.size, e.kind, row_number() OVER (PARTITION BY e.hashes, e.size, e.kind ORDER BY e.path), e.id
    FROM entry AS e WHERE {_KNOWN} AND e.hashes <> '' AND e.size IS NOT NULL AND {_KNOWN_UNPAIRED}
    """,
    f"""
    INSERT OR IGNORE INTO pair
    SELECT l.id, e.entry, 1 FROM (
        SELECT l.id, l.size, l.hashes, l.kind,
            row_number() OVER (PARTITION BY l.hashes, l.size, l.kind ORDER BY l.path) AS number
        FROM listed AS l WHERE l.hashes <> '' AND {_LISTED_UNPAIRED}
    ) AS l
    CROSS JOIN unpaired AS e ON e.hashes = l.hashes AND e.size = l.size AND e.kind = l.kind AND e.number = l.number
    """,
    # Same path, other content: an edit.
    f"""
    INSERT OR IGNORE INTO pair
    SELECT l.id, e.id, 0 FROM listed AS l CROSS JOIN entry AS e ON e.location = :location AND {_SAME_KEY}
    WHERE {_LISTED_UNPAIRED} AND {_KNOWN_UNPAIRED}
    """,
)

KNOWN_AUDIO: Final = f"SELECT e.path FROM entry AS e WHERE {_KNOWN} AND e.kind <> ''"
_GONE: Final = f"SELECT e.id FROM entry AS e WHERE {_KNOWN} AND {_KNOWN_UNPAIRED}"
GONE: Final = _GONE.replace("e.id", "e.path", 1)
DROP_GONE_CONTENT: Final = tuple(f"DELETE FROM {table} WHERE entry IN ({_GONE})" for table in ("reading", "content"))
DROP_GONE: Final = f"DELETE FROM entry WHERE id IN ({_GONE})"
DROP_CHANGED_CONTENT: Final = tuple(
    f"DELETE FROM {table} WHERE entry IN (SELECT entry FROM pair WHERE NOT same_content)" for table in ("reading", "content")
)
COUNT_CHANGED: Final = "SELECT count(*) FROM pair WHERE NOT same_content"

_PAIRED: Final = "FROM pair AS p CROSS JOIN listed AS l ON l.id = p.listed WHERE e.id = p.entry"
FREE_KEYS: Final = f"""
    UPDATE entry AS e SET path = CAST(e.id AS BLOB), remote_id = '/freed' {_PAIRED} AND NOT {_SAME_KEY}
"""
UPDATE_PAIRED: Final = f"""
    UPDATE entry AS e SET
        path = l.path, remote_id = l.remote_id, size = l.size, mtime_ns = l.mtime_ns, hashes = l.hashes, kind = l.kind,
        since_ns = iif(p.same_content, e.since_ns, :now),
        reader = iif(p.same_content, e.reader, 0),
        trouble = iif(p.same_content, e.trouble, 0)
    {_PAIRED} AND NOT (p.same_content AND {_SAME_ROW})
"""
ADD_NEW: Final = f"""
    INSERT INTO entry (location, path, remote_id, size, mtime_ns, hashes, kind, since_ns)
    SELECT :location, l.path, l.remote_id, l.size, l.mtime_ns, l.hashes, l.kind, :now FROM listed AS l
    WHERE {_LISTED_UNPAIRED} ORDER BY l.path, l.remote_id
"""

# The same content elsewhere, in this location or another: a copy has the reading of its original.
SHARE_READINGS: Final = (
    """
    CREATE TEMP TABLE copy AS
    SELECT e.id AS entry, min(o.id) AS original FROM entry AS e
    CROSS JOIN entry AS o
        ON o.hashes = e.hashes AND o.size = e.size AND o.hashes <> '' AND o.kind = e.kind AND o.reader = :reader
    WHERE e.location = :location AND e.kind <> '' AND e.hashes <> '' AND e.reader <> :reader
    GROUP BY e.id
    """,
    "INSERT OR REPLACE INTO reading SELECT c.entry, r.reading FROM copy AS c JOIN reading AS r ON r.entry = c.original",
    """
    UPDATE entry AS e SET reader = :reader, trouble = o.trouble
    FROM copy AS c CROSS JOIN entry AS o ON o.id = c.original WHERE e.id = c.entry
    """,
    "DROP TABLE copy",
)
