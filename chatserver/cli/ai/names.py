"""How AIs are told from people: by their names, because a name is all that every door shows. Pure.

An AI's name begins with `AI-` or `AI_`, in any case. Nobody can make a loop by giving other names:
whatever name is asked for, `ai_name` makes it one of these.
"""

import re
import secrets

PREFIX = "AI-"


def is_ai_name(name: str) -> bool:
    return re.match(r"ai[-_]", name, re.IGNORECASE) is not None


def ai_name(wanted: str | None) -> str:
    """The name that was asked for, or the same behind the prefix; a new one where there is none."""
    if not wanted:
        return PREFIX + secrets.token_hex(2)
    return wanted if is_ai_name(wanted) else PREFIX + wanted


def ai_names(wanted: str | None, count: int) -> list[str]:
    """Of so many AIs, each another; numbered where there are several."""
    base = ai_name(wanted)
    return [base] if count == 1 else [f"{base}-{number}" for number in range(1, count + 1)]
