"""The JSON schema of the config file, for editors."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.config.model import Cloud, Config


def schema() -> dict[str, Any]:
    """The JSON schema of the file."""
    document = msgspec.json.schema(Config)
    for section in (Config, Cloud):
        properties = document["$defs"][section.__name__]["properties"]
        properties |= {alias: properties[name] for alias, name in section.aliases.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "music-orchestrator config", **document}
