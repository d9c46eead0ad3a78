"""Templates of other programs are refused with what they are here; the translations are written down by hand."""

from __future__ import annotations

import re

import pytest

from orchestrator.errors import UsageError
from orchestrator.plan.layout.templates import compile_layout

TRACK = "{{ track | pad(2) }}"
NAME = f"/{TRACK} {{{{ title }}}}"
ALBUM_ONLY = ("%artist%/%album%", "$albumartist/$album", "<Artist>\\<Album>", "%a/%b")

TRANSLATIONS = [
    # foobar2000, Picard, Mp3tag
    ("%artist%/%album%", "{{ artist }}/{{ album }}" + NAME),
    ("%artist%/%album%/%title%", "{{ artist }}/{{ album }}/{{ title }}"),
    ("%artist% - %title%", "{{ artist }} - {{ title }}"),
    ("%album artist%\\%album%\\%tracknumber%. %title%", f"{{{{ albumartist }}}}/{{{{ album }}}}/{TRACK}. {{{{ title }}}}"),
    ("%albumartist%/[%date% - ]%album%/[%discnumber%.]%track% %title%",
     "{{ albumartist }}/{% if date %}{{ date }} - {% endif %}{{ album }}/{% if disc %}{{ disc }}.{% endif %}"
     + TRACK + " {{ title }}"),
    ("%artist%/%album% [%year%]/$num(%track%,3) - %title%",
     "{{ artist }}/{{ album }} [{{ year }}]/{{ track | pad(3) }} - {{ title }}"),
    ("$upper($left(%album artist%,1))/%album artist%/$left(%date%,4) '['%album%']'/%title%",
     "{{ albumartist | truncate(1) | upper }}/{{ albumartist }}/{{ year }} [{{ album }}]/{{ title }}"),
    ("$if2(%albumartist%,%artist%)/%title%", "{{ albumartist or artist }}/{{ title }}"),
    ("$ifgreater(%totaldiscs%,1,Disc %discnumber%\\,)%title%", "{% if discs > 1 %}Disc {{ disc }}/{% endif %}{{ title }}"),
    ("$replace(%title%,&,and)", "{{ title | replace('&', 'and') }}"),
    ("$swapprefix(%artist%)/%track number% %title%", "{{ artist | the_last }}/{{ track }} {{ title }}"),
    ("$if(%date%,\\(%date%\\) ,)%title%", "{% if date %}({{ date }}) {% endif %}{{ title }}"),
    ("""$if2(%albumartist%,%artist%)/
        $if(%albumartist%,%album%/,)
        $if($gt(%totaldiscs%,1),$if($gt(%totaldiscs%,9),$num(%discnumber%,2),%discnumber%)-,)
        $if($and(%albumartist%,%tracknumber%),$num(%tracknumber%,2) ,)$if(%_multiartist%,%artist% - ,)%title%""",
     ("{{ albumartist or artist }}/{% if albumartist %}{{ album }}/{% endif %}"
      "{% if discs > 1 %}{% if discs > 9 %}{{ disc | pad(2) }}{% else %}{{ disc }}{% endif %}-{% endif %}"
      "{% if (albumartist and track) %}{{ track | pad(2) }} {% endif %}{% if various %}{{ artist }} - {% endif %}{{ title }}")),
    ("%albumartist%\\%album%\\[CD$num(%discnumber%,1)\\]$num(%track%,2). %title%",
     "{{ albumartist }}/{{ album }}/{% if disc %}CD{{ disc | pad(1) }}/{% endif %}" + f"{TRACK}. {{{{ title }}}}"),
    ("%album%$if(%date%, \\($left(%date%,4)\\))/%title%", "{{ album }}{% if date %} ({{ year }}){% endif %}/{{ title }}"),
    ("C:\\Music\\%artist%\\%title%", "Music/{{ artist }}/{{ title }}"),
    # beets, eyeD3, abcde, Headphones
    ("$albumartist/$album", "{{ albumartist }}/{{ album }}" + NAME),
    ("$albumartist/$album%aunique{}/$track $title", f"{{{{ albumartist }}}}/{{{{ album }}}}/{TRACK} {{{{ title }}}}"),
    ("Compilations/$album/$disc-$track ${title}", "Compilations/{{ album }}/{{ disc | pad(2) }}-" + NAME[1:]),
    ("%the{$albumartist}/%if{$comp,Mix,$original_year} $album/$title",
     "{{ albumartist | the_last }}/{% if compilation %}Mix{% else %}{{ original_year }}{% endif %} {{ album }}/{{ title }}"),
    ("%upper{%left{$albumartist,1}}/%ifdef{albumdisambig,[$albumdisambig] }$title",
     "{{ albumartist | truncate(1) | upper }}/{% if edition %}[{{ edition }}] {% endif %}{{ title }}"),
    ("$albumartist/$album [$year]%aunique{}/%if{$multidisc,Disc $disc/}$track $title",
     "{{ albumartist }}/{{ album }} [{{ year }}]/{% if multi_disc %}Disc {{ disc | pad(2) }}/{% endif %}" + NAME[1:]),
    ("$Artist/$Album [$Year]/$Track - $Title", "{{ artist }}/{{ album }} [{{ year }}]/" + f"{TRACK} - {{{{ title }}}}"),
    ("$album {$label}/$title", "{{ album }} {{ '{' }}{{ label }}}/{{ title }}"),
    ("$$ %asciify{$title}", "$ {{ title | ascii }}"),
    ("$artist/$album/$track:num - $title", f"{{{{ artist }}}}/{{{{ album }}}}/{TRACK} - {{{{ title }}}}"),
    ("${ARTISTFILE}/${ALBUMFILE}/${TRACKNUM}.${TRACKFILE}", f"{{{{ artist }}}}/{{{{ album }}}}/{TRACK}.{{{{ title }}}}"),
    # Lidarr, Python
    ("{artist}/{title}", "{{ artist }}/{{ title }}"),
    ("{artist}/{album}/{track:02d} {title}.{ext}", f"{{{{ artist }}}}/{{{{ album }}}}/{TRACK} {{{{ title }}}}"),
    ("{Artist Name}/{Album Title} ({Release Year})/{medium:0}{track:00} - {Track Title}",
     f"{{{{ albumartist }}}}/{{{{ album }}}} ({{{{ year }}}})/{{{{ disc | pad(1) }}}}{TRACK} - {{{{ title }}}}"),
    ("{Artist NameThe}/{Album CleanTitle:40}{ (Release Year)}/{Track Title}",
     "{{ albumartist | the_last }}/{{ album | truncate(40) }} ({{ year }})/{{ title }}"),
    ("{{.Artist}}/{{ .Album.Title }}/{{.Track.Number}} {{.Title}}",
     f"{{{{ artist }}}}/{{{{ album }}}}/{TRACK} {{{{ title }}}}"),
    # MusicBee, MediaMonkey, Quod Libet, dBpoweramp
    ("<Artist>\\<Album>", "{{ artist }}/{{ album }}" + NAME),
    ("<Album Artist>\\<Album>\\<Track #:3> - <Title>",
     "{{ albumartist }}/{{ album }}/{{ track | pad(3) }} - {{ title }}"),
    ("$If(<Album Artist>=Various Artists,Mix,<Album Artist>)\\$Pad(<Track#>,2) <Title>",
     "{% if albumartist == 'Various Artists' %}Mix{% else %}{{ albumartist }}{% endif %}"
     + NAME),
    ("<albumartist|<albumartist>|<artist>>/<tracknumber>. <title>",
     ("{% if albumartist %}{{ albumartist }}{% else %}{{ artist }}{% endif %}"
      f"/{TRACK}. {{{{ title }}}}")),
    ("[artist]\\[album]\\[track] - [title]", f"{{{{ artist }}}}/{{{{ album }}}}/{TRACK} - {{{{ title }}}}"),
    # Strawberry, Kid3, yt-dlp
    ("%albumartist/%album{ (Disc %disc)}/{%track - }%title.%extension",
     ("{{ albumartist }}/{{ album }}{% if disc %} (Disc {{ disc }}){% endif %}"
      "/{% if track %}{{ track | pad(2) }} - {% endif %}{{ title }}")),
    ("%disc%track - %title", "{{ disc }}{{ track | pad(2) }} - {{ title }}"),
    ("%{artist} - %{album}/%{track} %{title}", f"{{{{ artist }}}} - {{{{ album }}}}/{TRACK} {{{{ title }}}}"),
    ("%(album_artist,artist)s/%(album|Loose)s/%(track_number)02d %(title)s.%(ext)s",
     f"{{{{ albumartist or artist }}}}/{{{{ album | default('Loose') }}}}/{TRACK} {{{{ title }}}}"),
    ("{artists}/{album}/{track-number} - {title}.{output-ext}", "{{ artist }}/{{ album }}/" + f"{TRACK} - {{{{ title }}}}"),
    ("%albuminterpret%\\%albumtitle%\\%tracknr2% %title%", "{{ albumartist }}/{{ album }}/" + NAME[1:]),
    # letters
    ("%A/%B/%N. %T", "{{ artist }}/{{ album }}/" + f"{TRACK}. {{{{ title }}}}"),
    ("%a/%b", "{{ artist }}/{{ album }}" + NAME),
    ("%z/%y - %b/%n - %t", f"{{{{ albumartist }}}}/{{{{ year }}}} - {{{{ album }}}}/{TRACK} - {{{{ title }}}}"),
    ("%aa/%at/%tN - %tt", f"{{{{ albumartist }}}}/{{{{ album }}}}/{TRACK} - {{{{ title }}}}"),
]  # fmt: skip


@pytest.mark.parametrize(("foreign", "ours"), TRANSLATIONS)
def test_a_template_of_another_program_is_refused_with_its_translation(foreign: str, ours: str) -> None:
    compile_layout(ours)
    with pytest.raises(UsageError) as caught:
        compile_layout(foreign)
    message = caught.value.message
    assert f"here it is {ours!r}" in message
    assert "\n" not in message
    assert ("with a name for each track at its end" in message) == (foreign in ALBUM_ONLY)


@pytest.mark.parametrize(
    ("foreign", "ours", "missing"),
    [
        ("%artist%/%mood%/%title%", "{{ artist }}/{{ title }}", "%mood%"),
        ("{artist:upper}/{title}", "{{ title }}", "{artist:upper}"),
        ("$rand()/%title%", "{{ title }}", "$rand()"),
        ("$if($len(%mood%),a,b) %title%", "{{ title }}", "$if($len(%mood%),a,b)"),
        ("%bucket{$albumartist,alpha}/$title", "{{ title }}", "%bucket{$albumartist,alpha}"),
        ("$if(%artist%/%title%", "", "$if(%artist%/%title%"),
        ("$lower($replace(%albumartist%/%title%, ,_))", "", "$lower($replace(%albumartist%/%title%, ,_))"),
    ],
)
def test_what_has_no_counterpart_is_left_out_and_named(foreign: str, ours: str, missing: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_layout(foreign)
    if ours:
        assert f"here it is {ours!r}, without {missing} (no counterpart)" in caught.value.message
    else:
        assert f"but {missing} has no counterpart here; write for example '{{{{" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("foreign", ["$asciify{$artist}/$title", "%if{%albumartist%,x}/%title%"])
def test_no_translation_is_given_that_would_be_refused_itself(foreign: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_layout(foreign)
    assert "{{{" not in caught.value.message
    assert "write for example" in caught.value.message


def test_letters_that_mean_different_things_are_given_as_each_program_reads_them() -> None:
    with pytest.raises(UsageError, match="as in EasyTAG, XLD, K3b, lltag,") as caught:
        compile_layout("%a/%n %t")
    assert "as in whipper" in caught.value.message


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("{{ albumartist }}/%album%/{{ title }}", ["'%album%'", "{{ album }}"]),
        ("{{ albumartist }}/$album/{{ title }}", ["'$album'", "{{ album }}"]),
        ("{{ albumartist }}/{album}/{{ title }}", ["'{album}'", "{{ album }}"]),
        ("{{ tracknumber }} {{ title }}", ["did you mean 'track'?"]),
        ("{{ Album_Artist }}/{{ title }}", ["did you mean 'albumartist'?"]),
        ("{{ %artist% }}/{{ title }}", ["its name alone"]),
        ("{{ $artist }}/{{ title }}", ["its name alone"]),
    ],
)
def test_fields_of_other_programs_inside_our_templates_are_refused(layout: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        compile_layout(layout)
    assert all(word in caught.value.message for word in words), caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "layout",
    [
        "{{ albumartist }}/{{ album }} {Live}/100% {{ title }}",
        "{{ albumartist }}/A$AP/{{ title }} [CD] $5",
        "{{ title }} {{ '{' ~ edition ~ '}' }}",
    ],
)
def test_ordinary_signs_are_plain_text(layout: str) -> None:
    assert re.search(r"\{\{ title", compile_layout(layout).rules[0].template)
