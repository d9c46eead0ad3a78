"""What a person has chosen among duplicates, beside the criteria."""

from __future__ import annotations

import msgspec

from orchestrator.records import Ref


class Choices(msgspec.Struct, frozen=True):
    """Files that a person has chosen. None of them is ever quarantined."""

    kept: frozenset[Ref] = frozenset()
    """Each is the kept copy of the files that are the same, whatever the criteria say of quality and location.

    What says that the files are not the same after all, that a file is damaged, or that a complete album would lose a track,
    counts as before.
    """
    left: frozenset[Ref] = frozenset()
    """They stay, and the criteria decide as before whether other files are quarantined in favour of one of them."""


NO_CHOICES = Choices()
