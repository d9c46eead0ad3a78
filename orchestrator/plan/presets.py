"""The layouts that come with the program. A new one is one entry here."""

from __future__ import annotations

from orchestrator.plan.request import LayoutRule

DEFAULT = "default"

_DISC = "{% if multi_disc and disc %}Disc {{ disc }}/{% endif %}"
_ARTIST = "{% if various %}{{ artist }} - {% endif %}"
_FILE = _DISC + "{{ track | pad(2) }} " + _ARTIST + "{{ title }}"

PRESETS: dict[str, tuple[LayoutRule, ...]] = {
    DEFAULT: (LayoutRule("{{ albumartist }}/{{ album }} ({{ year }})/" + _FILE),),
    "artist-album": (LayoutRule("{{ albumartist }}/{{ album }}/" + _FILE),),
    "year-album": (LayoutRule("{{ albumartist }}/{{ year }} - {{ album }}/" + _FILE),),
    "genre": (LayoutRule("{{ genre }}/{{ albumartist }}/{{ album }} ({{ year }})/" + _FILE),),
    "disc-numbers": (
        LayoutRule(
            "{{ albumartist }}/{{ album }} ({{ year }})/{% if multi_disc %}{{ disc }}-{% endif %}{{ track | pad(2) }} "
            + _ARTIST
            + "{{ title }}"
        ),
    ),
    "by-class": (
        LayoutRule("{{ artist }}/{{ title }}", when="singleton"),
        LayoutRule("Compilations/{{ album }} ({{ year }})/" + _FILE, when="album_class == 'compilation'"),
        LayoutRule("Live/{{ albumartist }}/{{ date }} - {{ album }}/" + _FILE, when="album_class == 'live'"),
        LayoutRule("Collaborations/{{ album }} ({{ year }}) - {{ artists }}/" + _FILE, when="album_class == 'collaboration'"),
        LayoutRule("Rarities/{{ albumartist }}/{{ album }} ({{ year }})/" + _FILE, when="album_class == 'rarity'"),
        LayoutRule("Albums/{{ albumartist }}/{{ album }} ({{ year }})/" + _FILE),
    ),
    "singles": (
        LayoutRule("{{ artist }}/{{ title }}", when="singleton"),
        LayoutRule("{{ albumartist }}/{{ album }} ({{ year }})/" + _FILE),
    ),
    "flat": (LayoutRule("{{ artist }} - {{ title }}"),),
}
"""Name -> rules; the last rule of each takes whatever is left."""
