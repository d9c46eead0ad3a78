"""The sandbox in which layouts are rendered: Jinja2's, with limits so that no value outgrows a file name."""

from __future__ import annotations

import re
from typing import Any, Final

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

MAX_LENGTH: Final = 65536
"""Maximum length of a repeated text or list, and of a width."""
_MAX_BITS: Final = 4096
_WIDE: Final = re.compile(r"%[^%a-zA-Z]*(?:\d{5}|\*)")
_WIDE_FIELD: Final = re.compile(r":[^{}]*\d{5}")


class Sandbox(SandboxedEnvironment):
    """Refuses expressions that would use up memory or time: huge repetitions, powers and format widths."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Evaluate `left operator right`, or raise SecurityError."""
        whole = isinstance(left, int) and isinstance(right, int)
        match operator:
            case "*" if whole:
                large = left.bit_length() + right.bit_length() > _MAX_BITS
            case "*":
                large = _repeated(left, right) or _repeated(right, left)
            case "**":
                large = whole and left.bit_length() * right > _MAX_BITS
            case _:
                large = isinstance(left, str) and _WIDE.search(left) is not None
        if large:
            raise SecurityError(f"the result of {operator!r} here is too large for a name")
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja2 has it
        """Call a method of a value, such as `title.ljust(20)`, or raise SecurityError."""
        text = getattr(getattr(__obj, "__wrapped__", None), "__self__", None)  # for `format`, which the sandbox wraps
        wide = isinstance(text, str) and _WIDE_FIELD.search(text) is not None
        if wide or any(isinstance(one, int) and one > MAX_LENGTH for one in (*args, *kwargs.values())):
            raise SecurityError("a width here is too large for a name")
        return super().call(__context, __obj, *args, **kwargs)


def _repeated(value: Any, times: Any) -> bool:
    return isinstance(times, int) and isinstance(value, (str, list, tuple)) and len(value) * times > MAX_LENGTH
