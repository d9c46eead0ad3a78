"""WMA: everything stands in the header object at the front."""

from __future__ import annotations

from orchestrator.tags.parsed import Parsed
from orchestrator.tags.parsers import parser
from orchestrator.tags.sparse import SparseFile

_LOSSLESS = "Lossless"


def read(file: SparseFile) -> Parsed:
    """Parse the header object."""
    asf = parser("asf", "ASF")(file)
    lossless = _LOSSLESS in asf.info.codec_name or _LOSSLESS in asf.info.codec_type
    return Parsed(kind="asf", tags=asf.tags, info=asf.info, codec="wma", lossless=lossless)
