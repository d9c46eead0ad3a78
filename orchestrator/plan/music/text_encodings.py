# ruff: noqa: RUF001 - letters of many languages
"""Encodings that programs wrote into tags in place of Latin-1, and which of them a few texts are in.

A tag in ID3v1 or in a Latin-1 frame has no place for other letters, so programs wrote them in the encoding of the computer. Its
texts are read as Latin-1, which keeps every byte; so they can still be read in another encoding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

_CUT = 28
"""Bytes. ID3v1 cuts texts at 30, or at 28 in a comment, and may cut a letter of several bytes."""
_LEAST = 0.5
"""How plausible the best encoding must be."""
_MARGIN, _FEW = 0.06, 0.4
"""By how much more it must be so than the second; and more for a few signs, which say little: this, divided by their number.
With it, none of 135 names of artists and songs alone was taken for another language."""


FOREIGN: Final = re.compile(
    "(?![áéíóúýþæðöøÁÉÍÓÚÝÞÆÐÖØ]{3})([^\x00-\x7f])(?!(?i:\\1\\1))[^\x00-\x7f]{2}"
    "|(?<=[A-Za-z\xc0-\xff])[\xa1-\xa9\xab\xac\xae-\xb3\xb5\xb6\xb8\xb9\xbb-\xbf](?=[A-Za-z\xc0-\xff])"
)
"""What no language of Latin-1 writes: three different signs in a row that are not ASCII, or a sign such as § inside a word.

Only Icelandic and Faroese have words such as "Óþægð".
"""

Judge: TypeAlias = Callable[[str], float]
"""How plausible a text is: from 0, not of this language, to 1."""


_LONG_RUN = re.compile("[^\x00-\x7f]{4}")


class Encoding(NamedTuple):
    """One encoding, and how to judge a text that was decoded with it."""

    name: str
    """As Python and the config call it."""
    script: str
    """For people."""
    plausible: Judge


# ------------------------------------------------------------ alphabets


def _alphabet(
    letters: str, *, also: str = "", never_first: str = "", never_last: str = "", only_last: str = "", never: str = ""
) -> Judge:
    """A language with these letters, the most frequent first, and other signs; `never` is a pattern, the others are letters."""
    rank = {letter: 1 - index / len(letters) / 1.4 for index, letter in enumerate(letters)}
    capitals = letters.upper() if letters.upper() != letters else ""
    rules = (
        (never, "%s"),
        (capitals, f"(?<=[{letters}])[%s]"),
        (never_first, r"\b[%s]"),
        (never_last, r"[%s]\b"),
        (only_last, r"[%s]\B"),
    )
    misplaced = re.compile("|".join(rule % those for those, rule in rules if those) or r"(?!)")

    def plausible(text: str) -> float:
        if _DRAWN.search(text):
            return 0.0
        found = [letter for letter in text if not letter.isascii()]
        values = [rank.get(letter.lower(), 0.5 if letter in also or letter in _SIGNS else 0.0) for letter in found]
        only_capitals = 0.9 if capitals and text.upper() == text else 1.0
        return only_capitals * (sum(values) - 1.5 * len(misplaced.findall(text))) / len(found) if found else 0.0

    return plausible


def _among_ascii(judge: Judge) -> Judge:
    """A language in which most letters are ASCII."""
    return lambda text: 0.0 if _LONG_RUN.search(text) else judge(text)


def _of_windows(judge: Judge) -> Judge:
    """A judge for CP1251, which shows the capitals of Mac Cyrillic as letters of Serbian and as signs."""

    def plausible(text: str) -> float:
        is_mac = len(_MAC_CAPITAL.findall(text)) > len(_CAPITAL.findall(text))
        return 0.0 if is_mac and (_ONLY_RUSSIAN.search(text) or not _ONLY_SERBIAN.search(text)) else judge(text)

    return plausible


def _of_mac(judge: Judge) -> Judge:
    """A judge for Mac Cyrillic. Only its capitals tell it from CP1251, whose Serbian letter for "j" it shows as a capital."""

    def plausible(text: str) -> float:
        has_capitals = len(_CAPITAL.findall(text)) > len(_WINDOWS_CAPITAL.findall(text))
        return judge(text) if has_capitals and (_ONLY_RUSSIAN.search(text) or "Љ" not in text) else 0.0

    return plausible


_CAPITAL = re.compile(r"(?<!\w)[А-Я](?=[а-я])")
_MAC_CAPITAL = re.compile(r"(?<!\w)[ЂЃѓЉЊЌЋЏђљњќћџ†‡€‰™](?=[а-я])")
_WINDOWS_CAPITAL = re.compile(r"(?<!\w)[¿¡¬√ƒ≈∆«»…ÀÃÕŒœ–—“”‘’÷◊ÿŸЎўЏџ№ЁёЯ](?=[а-я])")
"""How the capitals of one encoding look in the other."""
_ONLY_RUSSIAN, _ONLY_SERBIAN = re.compile("[ыьъэюйщё]"), re.compile(r"ј|\B[љњћђџќѓ]")
_DRAWN = re.compile("[\u2500-\u25ff]")
"""Lines and blocks, of which no name is made."""
_SIGNS = frozenset("«»„“”‘’–—…№\xa0·•®©")
_RUSSIAN = _alphabet("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ", also="іїєґўјљњћџђ", never_first="ьъы")
_GREEK = _alphabet(
    "αοιετσνηυρπκμλωςγδθχφβξζψάίόέήύώϊϋΐΰ", never_first="ς", never_last="σ", only_last="ς", never=r"\b[Α-Ω]?[α-ω]{3,}\b"
)
_HEBREW = _alphabet("יוהלאמרתבשנחדעקפכגטצזסםןךףץ", never_last="כמנצ", only_last="םןךףץ")
_ARABIC = _alphabet("اليمونرتبةعدسفهكحجقشصىأطخءإذضزثغآئؤظ", also="ًٌٍَُِّْپچژگ،؟")
_THAI = _alphabet("านรกเงอมยลวดท่ส้ตะิัปบคหีแจพไชข์ใุโ็ูถผธณศซฟึญภๆฝฉฐฤฎฏฬษฆฮ๊๋ื")
_CENTRAL = _among_ascii(_alphabet("áéíčěšřžýůúłąęśżóćńźöüőűäňťďôľĺŕăâîşţșțđ"))


# ------------------------------------------------------------ signs for syllables and words

_CHINESE = frozenset(
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看"
    "文无开手十用主行方又如前所本见经头面公同三已老从动两长爱情歌曲风雨花月夜星梦泪水海春秋冬夏光红白黑雪云山路走听唱音乐首最真永远忘记离别思念孤单寂寞"
    "快幸福世界恋女男王张李刘陈林周黄华德杰伦朋友谁让给吻伤痛醒醉今明"
)
_TRADITIONAL = frozenset(
    "的一是不了人我在有他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可她裡後小麼心多天而能好都然沒日於起還發成事只作當想看"
    "文無開手十用主行方又如前所本見經頭面公同三已老從動兩長愛情歌曲風雨花月夜星夢淚水海春秋冬夏光紅白黑雪雲山路走聽唱音樂首最真永遠忘記離別思念孤單寂寞"
    "快幸福世界戀女男王張李劉陳林周黃華德傑倫朋友誰讓給吻傷痛醒醉今明"
)
_JAPANESE = frozenset(
    "日一人大年本中子見国言上分生手自行者二間事思時気会十家女三前的方入小地合後目長場代私下立部学物月田愛恋歌夢空君心花風雨雪海夜星春夏秋冬桜涙光声音"
    "世界永遠明今朝青赤白黒道旅友告白別約束始終笑想待願羽鳥翼少男美東京山川木村藤井"
)
_KOREAN = frozenset(
    "이다는에가을의지고하로사나한기그어도리자은라아를인시해서대만수게들일전부장정주우오보여면상니스거내구것마으성조비안말모신무소너제당있없사랑그대나의"
    "람눈물밤별꿈하늘길날봄여름가을겨울비바람꽃노래이별추억행복안녕친구마음사진김박최윤강임송한유조권서태연희영미현준민진경선은혜수지"
)


def _signs(common: frozenset[str], own: str, codec: str, leads: tuple[int, int]) -> Judge:
    """A language that is written in signs: the common ones, those of a syllabary, and those whose first byte is in `leads`."""
    syllabary = re.compile(f"[{own}]") if own else None

    @lru_cache(maxsize=4096)
    def value(sign: str) -> float:
        if sign in common or (syllabary is not None and syllabary.match(sign)):
            return 1.0
        if sign in _SIGNS or "\u3000" <= sign <= "\u303f" or "\uff01" <= sign <= "\uff5e":
            return 0.5
        encoded = sign.encode(codec)
        usual = len(encoded) == 2 and leads[0] <= encoded[0] <= leads[1] and (encoded[1] >= 0xA1 or codec in ("cp932", "big5"))
        return 0.55 if usual else 0.05

    def plausible(text: str) -> float:
        found = [sign for sign in text if not sign.isascii()]
        return sum(map(value, found)) / len(found) if found else 0.0

    return plausible


ENCODINGS: Final = tuple(
    Encoding(*one)
    for one in (
        ("cp1251", "Cyrillic", _of_windows(_RUSSIAN)),
        ("mac_cyrillic", "Cyrillic", _of_mac(_RUSSIAN)),
        ("koi8-r", "Cyrillic", _RUSSIAN),
        ("cp866", "Cyrillic", _RUSSIAN),
        ("iso8859-5", "Cyrillic", _RUSSIAN),
        ("cp1253", "Greek", _GREEK),
        ("cp1255", "Hebrew", _HEBREW),
        ("cp1256", "Arabic", _ARABIC),
        ("cp874", "Thai", _THAI),
        ("cp1250", "Central European", _CENTRAL),
        ("shift_jis", "Japanese", _signs(_JAPANESE, "\u3041-\u3096\u30a1-\u30fc", "cp932", (0x88, 0x97))),
        ("euc_jp", "Japanese", _signs(_JAPANESE, "\u3041-\u3096\u30a1-\u30fc", "euc_jp", (0xB0, 0xCF))),
        ("gbk", "Chinese", _signs(_CHINESE, "", "gbk", (0xB0, 0xD7))),
        ("big5", "Chinese", _signs(_TRADITIONAL, "", "big5", (0xA4, 0xC6))),
        ("euc_kr", "Korean", _signs(_KOREAN, "", "cp949", (0xB0, 0xC8))),
    )
)
"""The encodings that are known, for `legacy_encoding` in the config."""
_CODECS = {"shift_jis": "cp932", "euc_kr": "cp949"}
"""What Windows means by these names."""


def decoded(text: str, encoding: str) -> str | None:
    """A text that was read as Latin-1, read in another encoding; None if its bytes are none of that encoding.

    A letter that is cut off at the end of a long text is left out.
    """
    data = text.encode("latin-1")
    decoder = codecs.getincrementaldecoder(_CODECS.get(encoding, encoding))()
    try:
        found = decoder.decode(data, final=len(data) < _CUT)
    except UnicodeDecodeError:
        return None
    return None if any("\x7f" <= sign <= "\x9f" or "\ue000" <= sign <= "\uf8ff" for sign in found) else found


def best_encoding(texts: Sequence[str]) -> Encoding | None:
    """The encoding that all of these texts are in, as far as they tell; None if they do not."""
    ranked = sorted(((_plausibility(texts, encoding), encoding) for encoding in ENCODINGS), key=lambda one: -one[0])
    (best, encoding), (second, _) = ranked[:2]
    signs = sum(1 for text in texts for sign in text if not sign.isascii())
    return encoding if best >= _LEAST and best - second >= _MARGIN + _FEW / max(1, signs) else None


def is_other(texts: Sequence[str], encoding: Encoding) -> bool:
    """Whether these texts show another encoding, and would make no sense in this one."""
    return _plausibility(texts, encoding) < _LEAST and best_encoding(texts) not in (None, encoding)


def _plausibility(texts: Sequence[str], encoding: Encoding) -> float:
    found = [decoded(text, encoding.name) for text in texts]
    known = [text for text in found if text is not None]
    return encoding.plausible(" ".join(known)) if len(known) == len(found) else 0.0
