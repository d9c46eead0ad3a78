"""Which key of which kind of tag means which field: one look-up for every format.

Programs agree on few names, and converters carry the names of one format into another. So names are compared without case,
spaces, "_", "-", "/" and the "WM/" of Windows Media, and every name is understood in every kind of tag that has free names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from orchestrator.tags.tag_texts import LYRICS_LANGUAGE, PEOPLE
from orchestrator.track import Facts

FACTS = frozenset(Facts.__struct_fields__)

# From Picard, beets, foobar2000, Mp3tag, MusicBee, MediaMonkey, Winamp, iTunes, dBpoweramp, Kid3, EAC, ffmpeg and TagLib.
# Of several names in a file, the first one here that says anything counts; of Facts, all do.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "artist": ("artist",),
    "album_artist": ("albumartist", "albumartists", "band"),
    "album": ("album",),
    "date": ("date", "year", "releasedate", "releasetime", "releaseyear"),
    "track": ("tracknumber", "track", "trackno", "tracknum"),
    "track_total": ("tracktotal", "totaltracks", "trackcount", "trackc", "numtracks"),
    "disc": ("discnumber", "disc", "disknumber", "disk", "discno", "partofset"),
    "disc_total": ("disctotal", "totaldiscs", "disktotal", "totaldisks", "disccount", "discc", "numdiscs"),
    "disc_subtitle": ("discsubtitle", "setsubtitle", "disctitle", "discname"),
    "compilation": ("compilation", "iscompilation", "itunescompilation", "partofacompilation"),
    "release_type": ("musicbrainzalbumtype", "releasetype", "albumtype"),
    "release_status": ("musicbrainzalbumstatus", "releasestatus"),
    "edition": ("musicbrainzalbumcomment", "albumversion", "edition"),
    "venue": ("venue",),
    "original_date": (
        *("originaldate", "originalreleasedate", "originalreleasetime", "origdate"),
        *("originalyear", "originalreleaseyear", "origyear"),
    ),
    "genre": ("genre",),
    "composer": ("composer",),
    "label": ("label", "organization", "organisation", "publisher", "recordlabel"),
    "catalogue_number": (
        "catalognumber",
        "cataloguenumber",
        "catalogno",
        "catalogueno",
        "catalogid",
        "labelno",
        "discogscatalog",
    ),
    "barcode": ("barcode", "upc", "ean", "eanupn", "eanupc", "upcean"),
    "media": ("media", "sourcemedia", "mediatype"),
    "subtitle": ("subtitle",),
    "version": ("version",),
    "remixer": ("remixer", "mixartist", "modifiedby", "remixedby"),
    "comment": ("comment", "comments", "description"),
    "isrc": ("isrc",),
    "musicbrainz_recording_id": ("musicbrainztrackid", "musicbrainzrecordingid"),
    "musicbrainz_track_id": ("musicbrainzreleasetrackid",),
    "musicbrainz_release_id": ("musicbrainzalbumid", "musicbrainzreleaseid"),
    "musicbrainz_release_group_id": ("musicbrainzreleasegroupid",),
    "musicbrainz_artist_ids": ("musicbrainzartistid",),
    "musicbrainz_album_artist_ids": ("musicbrainzalbumartistid",),
    "acoustid_id": ("acoustidid", "acoustid"),
    "title_sort": ("titlesort", "titlesortorder", "sortname"),
    "artist_sort": ("artistsort", "artistsortorder", "sortartist"),
    "album_artist_sort": ("albumartistsort", "albumartistsortorder", "sortalbumartist"),
    "album_sort": ("albumsort", "albumsortorder", "sortalbum"),
    "advisory": ("itunesadvisory", "advisory", "contentadvisory", "parentalrating", "explicit"),
    "cue_sheet": ("cuesheet",),
    "conductor": ("conductor",),
    "orchestra": ("orchestra",),
    "ensemble": ("ensemble", "ensembles"),
    "performer": ("performer", "performers", "soloist", "soloists"),
    "work": ("work", "worktitle", "workname"),
    "movement": ("movementname", "movementtitle"),
    "movement_number": ("movement", "movementnumber", "movementno"),
    "movement_total": ("movementtotal", "totalmovements", "movementcount"),
    "language": ("language", "languages"),
    "lyrics_language": ("lyricslanguage", "lyriclanguage", "lyricslang"),
    "musicbrainz_work_ids": ("musicbrainzworkid",),
    "discogs_id": ("discogsreleaseid", "discogsalbumid", "discogsid", "discogsrelease"),
    "asin": ("asin", "amazonid"),
    "country": ("releasecountry", "musicbrainzalbumreleasecountry", "country"),
    "recording_date": ("recordingdate", "recorddate", "recorded", "daterecorded", "recordeddate"),
    "recording_place": ("recordinglocation", "recordlocation", "recordingplace", "recordedat", "location"),
    "key": ("initialkey", "key", "musicalkey"),
    "bpm": ("bpm", "beatsperminute", "tempo"),
    "grouping": ("grouping", "contentgroup", "contentgroupdescription"),
    "media_kind": ("itunesmediatype", "mediakind"),
    "podcast": ("podcast", "itunespodcast"),
    "podcast_id": ("podcasturl", "podcastid", "podcastguid"),
    "memo_id": ("voicememouuid", "musicmemonote"),
    "encoder": ("encoder", "encodingtool", "software"),
}
_ID3 = {
    "title": ("tit2",), "artist": ("tpe1",), "album_artist": ("tpe2",), "album": ("talb",), "date": ("tdrc", "tyer", "tdrl"),
    "original_date": ("tdor", "tory"),
    "track": ("trck",), "disc": ("tpos",), "disc_subtitle": ("tsst",), "compilation": ("tcmp",),
    "genre": ("tcon",), "composer": ("tcom",), "label": ("tpub",), "media": ("tmed",), "subtitle": ("tit3",),
    "remixer": ("tpe4",), "comment": ("comm",), "isrc": ("tsrc",), "musicbrainz_recording_id": ("ufid:http://musicbrainz.org",),
    "title_sort": ("tsot",), "artist_sort": ("tsop",), "album_artist_sort": ("tso2",), "album_sort": ("tsoa",),
    "conductor": ("tpe3",), "movement": ("mvnm",), "movement_number": ("mvin",), "language": ("tlan",), "key": ("tkey",),
    "bpm": ("tbpm",), "grouping": ("tit1", "grp1"), "podcast": ("pcst",), "podcast_id": ("tgid",),
}  # fmt: skip
_NATIVE: dict[str, dict[str, tuple[str, ...]]] = {
    "id3": _ID3,
    "vorbis": {"album_artist": ("albumartist",)},
    "ape": {"album_artist": ("album artist",), "date": ("year",), "track": ("track",), "disc": ("disc",)},
    "mp4": {
        "title": ("\xa9nam", "titl"), "artist": ("\xa9art", "perf", "auth"), "album_artist": ("aart",),
        "album": ("\xa9alb", "albm"), "date": ("\xa9day", "yrrc"), "track": ("trkn", "\xa9trk"), "disc": ("disk",),
        "compilation": ("cpil",), "genre": ("\xa9gen", "gnre"), "composer": ("\xa9wrt",), "comment": ("\xa9cmt",),
        "title_sort": ("sonm",), "artist_sort": ("soar",), "album_artist_sort": ("soaa",), "album_sort": ("soal",),
        "advisory": ("rtng",), "work": ("\xa9wrk",), "movement": ("\xa9mvn",), "movement_number": ("\xa9mvi",),
        "movement_total": ("\xa9mvc",), "bpm": ("tmpo",), "grouping": ("\xa9grp",),
        "media_kind": ("stik",), "podcast": ("pcst",), "encoder": ("\xa9too",),
    },
    "asf": {"artist": ("author",), "album": ("wm/albumtitle",), "date": ("wm/year",), "comment": ("description",),
            "media_kind": ("wm/mediaclasssecondaryid",)},
}  # fmt: skip
_NATIVE_ONLY: dict[str, dict[str, tuple[str, ...]]] = {
    "riff": {  # the INFO list of WAV: Windows, ffmpeg, Audacity, Sound Forge, TagLib, music-metadata; its ISRC is a supplier
        "title": ("inam", "titl"), "artist": ("iart",), "album": ("iprd",), "date": ("icrd", "year"),
        "track": ("itrk", "iprt", "trck"), "track_total": ("ifrm",), "genre": ("ignr", "genr", "gnre"),
        "comment": ("icmt", "cmnt", "comm"), "composer": ("imus",), "media": ("imed",),
        "language": ("ilng",), "country": ("icnt",),
    },
    "iff": {"title": ("name", "diti"), "artist": ("auth", "diar"), "comment": ("anno",)},  # the chunks of AIFF and DSDIFF
}  # fmt: skip
"""Kinds of tags without free names."""
_IGNORED = str.maketrans("", "", " _-/")
_FREE = {name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names, start=10)}
_FREE |= {name: (field, 100) for field, names in _ID3.items() for name in names if name not in _FREE}
_NATIVE_KEYS = {
    kind: {key: (field, rank) for field, keys in fields.items() for rank, key in enumerate(keys)}
    for kind, fields in (_NATIVE | _NATIVE_ONLY).items()
}
_BEHIND_THE_SCENES = frozenset(
    {
        *("arranger", "engineer", "producer", "djmix", "mix", "mixer", "remixer"),
        *("lyricist", "writer", "composer", "programming", "recording", "mastering", "editor"),
    }
)
"""Roles of ID3's lists of people that are not heard; every other unknown role is an instrument."""


@lru_cache(maxsize=4096)
def _meaning(kind: str, key: str) -> tuple[str, int] | None:
    """The field that a key means, and its rank among the keys of that field; None for a key of another meaning."""
    native = _NATIVE_KEYS[kind].get(key)
    if native is not None or kind in _NATIVE_ONLY:
        return native
    if kind == "id3":
        known, _, name = key.partition(":")
        if known == PEOPLE[:-1]:
            role = name.translate(_IGNORED)
            return _FREE.get(role) or (None if role in _BEHIND_THE_SCENES else ("performer", 0))
        if known not in {"txxx", LYRICS_LANGUAGE}:
            return None
        key = name or known
    return _FREE.get(key.removeprefix("wm/").translate(_IGNORED))


def named(kind: str, values: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, ...]]]:
    """Field -> the texts under each of its keys, the best key first; only keys with texts, and each text once.

    Of two spellings of one name, the one with more texts is better.

    `values`: key in lower case -> texts, as `orchestrator.tags.tag_texts` reads them.
    """
    found: dict[str, list[tuple[int, int, Sequence[str]]]] = {}
    for key, texts in values.items():
        meaning = _meaning(kind, key)
        if meaning is not None and texts:
            field, rank = meaning
            found.setdefault(field, []).append((rank, 0 if field in FACTS else -len(texts), texts))
    for ranked in found.values():
        if len(ranked) > 1:
            ranked.sort(key=lambda one: one[:2])
    return {field: [tuple(dict.fromkeys(texts)) for *_, texts in ranked] for field, ranked in found.items()}
