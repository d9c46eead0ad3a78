"""The truth library: all cases, in several rounds."""

from __future__ import annotations

from collections.abc import Callable

from tests.truth import duplicates, lookalikes, versions
from tests.truth.files import TrueLibrary
from tests.truth.making import Maker

Case = Callable[[Maker], None]

CASES: tuple[Case, ...] = (
    duplicates.exact_copies,
    duplicates.exact_copies_without_tags,
    duplicates.retagged_copies,
    duplicates.other_encoders,
    duplicates.transcodes,
    duplicates.known_by_ids,
    duplicates.companions,
    duplicates.better_samples,
    duplicates.spellings,
    duplicates.chains,
    duplicates.cut_without_a_sign,
    duplicates.part_of_an_album,
    lookalikes.editions,
    lookalikes.editions_without_ids,
    lookalikes.live_and_studio,
    lookalikes.two_nights,
    versions.named_once,
    versions.told_apart,
    lookalikes.clean_and_explicit,
    lookalikes.version_words,
    lookalikes.box_set,
    lookalikes.compilations,
    lookalikes.same_names,
    lookalikes.discs_with_equal_titles,
    lookalikes.twins_on_two_discs,
    lookalikes.one_id_for_all,
    lookalikes.missing_fields,
    lookalikes.placeholders,
    lookalikes.broken_files,
    lookalikes.silence,
    lookalikes.hints_alike,
    lookalikes.checksums_alike,
    lookalikes.songs_in_one_file,
    lookalikes.contradictions,
    lookalikes.guests,
    lookalikes.tributes,
)


def truth_library(rounds: int) -> TrueLibrary:
    """All cases, repeated `rounds` times, each time in different formats."""
    library = TrueLibrary()
    for number in range(rounds):
        make = Maker(library, number)
        for case in CASES:
            make.case = case.__name__.replace("_", " ")
            case(make)
    return library
