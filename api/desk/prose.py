"""What people wrote, as it is read: a number of several groups stays the way round it was written.

Between Persian words the groups of `0912 345 6789` or `021-88001122` would stand from right to left, and be dialled so.
Reading order: prose.
"""

import re

from markupsafe import Markup, escape

_GROUPED = re.compile(r"(?<![\w-])(?:\+\d[\d ().-]{5,}\d|[0۰٠]\d{1,4}(?:[ -]\d{2,}){1,4}|\d+(?:-\d+)+)(?!\w)")
_RUNNING = Markup('<bdi dir="ltr">{}</bdi>')


def prose(text: str) -> Markup:
    """A text for a page, escaped."""
    if isinstance(text, Markup):
        return text
    shown, at = Markup(), 0
    for found in _GROUPED.finditer(text):
        shown += escape(text[at : found.start()]) + _RUNNING.format(found[0])
        at = found.end()
    return shown + escape(text[at:])
