"""Names that stand for no artist or album in particular, compared by their letters alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orchestrator.plan.music.spelling import letters_of

VARIOUS: Final = frozenset(
    map(
        letters_of,
        (
            "Various Artists", "Various", "Various Artist", "V/A", "VV.AA.", "AA.VV.", "Various Performers", "Various Composers",
            "Verschiedene Interpreten", "Verschiedene Künstler", "Verschiedene", "Diverse Interpreten", "Diverse Künstler",
            "Artistes divers", "Artistes variés", "Divers artistes", "Multi-interprètes", "Compilation", "Compilations",
            "Varios Artistas", "Varios Intérpretes", "Artistas Varios", "Vários Artistas", "Vários Intérpretes", "Vários",
            "Artisti Vari", "Vari Artisti", "Autori Vari", "Artisti Diversi", "Diverse Artiesten", "Verschillende Artiesten",
            "Diverse Artister", "Diverse Kunstnere", "Blandade Artister", "Olika Artister", "Eri esittäjiä", "Useita esittäjiä",
            "Różni Wykonawcy", "Różni Artyści", "Různí interpreti", "Různí umělci", "Rôzni interpreti", "Razni izvođači",
            "Különböző előadók", "Válogatás", "Artiști diverși", "Çeşitli Sanatç\u0131lar", "Διάφοροι Καλλιτέχνες", "Διάφοροι",
            "Разные исполнители", "Различные исполнители", "Разные артисты", "Сборник", "Різні виконавці", "Разни изпълнители",
            "群星", "合辑", "多位艺人", "多位藝人", "オムニバス", "ヴァリアス・アーティスト", "여러 아티스트", "여러 가수",
            "אמנים שונים", "فنانون متنوعون",
        ),
    )
)  # fmt: skip
"""Album artists that mean several artists, in the languages of rippers, stores and databases."""
_NO_ALBUM: Final = frozenset(
    map(
        letters_of,
        (
            "Unknown Album", "Unknown", "No Album", "No Album Title", "No Title", "Unknown Disc", "Unknown CD", "Audio CD",
            "Unbekanntes Album", "Unbekannt", "Kein Album", "Album inconnu", "Sans album", "Álbum desconocido", "Desconocido",
            "Sin álbum", "Album sconosciuto", "Sconosciuto", "Onbekend album", "Onbekend", "Okänt album", "Ukendt album",
            "Ukjent album", "Tuntematon albumi", "Nieznany album", "Neznámé album", "Ismeretlen album", "Bilinmeyen Albüm",
            "Álbum desconhecido", "Desconhecido", "Неизвестный альбом", "Неизвестный диск", "Невідомий альбом", "未知专辑",
            "未知專輯", "不明なアルバム", "알 수 없는 앨범", "Unknown Title", "Unbekannter Titel", "Titre inconnu",
            "Título desconocido", "Titolo sconosciuto", "Inconnu", "Okänd skiva", "Άγνωστο άλμπουμ", "Неизвестно", "Невідомо",
        ),
    )
)  # fmt: skip
_UNTITLED: Final = frozenset(
    map(letters_of, ("Untitled", "Untitled Album", "Sans titre", "Ohne Titel", "Sin título", "Senza titolo"))
)
_NO_ARTIST: Final = frozenset(
    map(
        letters_of,
        (
            "Unknown Artist", "Unknown", "Unknown Artists", "Unknown Performer", "No Artist",
            "Unbekannter Künstler", "Unbekannter Interpret", "Unbekannt", "Kein Künstler", "Artiste inconnu", "Inconnu",
            "Interprète inconnu", "Artista desconocido", "Intérprete desconocido", "Desconocido", "Artista desconhecido",
            "Desconhecido", "Artista sconosciuto", "Sconosciuto", "Onbekende artiest", "Onbekend", "Okänd artist", "Okänd",
            "Ukendt kunstner", "Ukjent artist", "Tuntematon esittäjä", "Tuntematon artisti", "Nieznany wykonawca",
            "Nieznany artysta", "Neznámý interpret", "Neznámý umělec", "Ismeretlen előadó", "Artist necunoscut",
            "Bilinmeyen Sanatç\u0131", "Άγνωστος καλλιτέχνης", "Неизвестный исполнитель", "Неизвестный артист",
            "Невідомий виконавець", "Неизвестен изпълнител", "未知艺术家", "未知藝術家", "未知歌手", "不明なアーティスト",
            "アーティスト情報なし",
            "알 수 없는 아티스트", "אמן לא ידוע", "فنان غير معروف",
        ),
    )
)  # fmt: skip
_TRACK: Final = frozenset(
    map(letters_of, ("Track", "Audio Track", "Titel", "Titre", "Piste", "Pista", "Traccia", "Faixa", "Spår", "Spor", "Raita",
                     "Ścieżka", "Stopa", "Дорожка", "Трек", "トラック", "音轨", "트랙", "Unknown Track", "Unknown Title",
                     "Unknown", "No Title", "Unbenannt", "Untitled Track"))
)  # fmt: skip


def is_various(name: str, names: frozenset[str] = VARIOUS) -> bool:
    """Whether a name of an artist means several artists. `names` are letters only."""
    return letters_of(name) in names


def various_names(more: Iterable[str]) -> frozenset[str]:
    """VARIOUS, and more names of that kind."""
    return VARIOUS | {letters for name in more if (letters := letters_of(name))}


def is_no_album(title: str, artist: str) -> bool:
    """Whether a title of an album is none: "Unknown Album", and "Untitled" where no artist is known."""
    letters = letters_of(title.partition(" (")[0])  # "Unknown album (8-10-2007 5-43-21 PM)"
    return letters in _NO_ALBUM or (letters in _UNTITLED and (not artist.strip() or is_no_artist(artist)))


def is_no_artist(name: str) -> bool:
    """Whether a name of an artist is none: "Unknown Artist"."""
    return letters_of(name) in _NO_ARTIST


def is_nameless(name: str) -> bool:
    """Whether a name of an artist or an album is what rippers and players write for an unknown one."""
    return letters_of(name) in _NO_ALBUM or is_no_artist(name)


def is_no_title(title: str) -> bool:
    """Whether a title is none where artist or album are missing: "Track 03", "Untitled"."""
    letters = letters_of(title)
    return letters in _TRACK or letters in _UNTITLED
