"""Reduces a name to the consonants that are heard in it, so that Sara, Sarah and سارا, or Ghasemi and قاسمی, meet.

One skeleton for both scripts: vowels and what may be one (و ی ا ه ع, v w y h) are dropped, letters that sound alike become one.
"""

from functools import lru_cache

_PERSIAN = str.maketrans(
    {
        **dict.fromkeys("اآعهوی ", ""),
        **dict(zip("بپتطثسصجچحخدذزضظرژشغقفکگلمن", "bpttsssjC\0xdzzzzrjSqqfkglmn", strict=True)),
    }
)
_DIGRAPHS = (
    ("sch", "S"),
    ("tch", "C"),
    ("sh", "S"),
    ("ch", "C"),
    ("kh", "x"),
    ("gh", "q"),
    ("zh", "j"),
    ("ph", "f"),
    ("th", "t"),
    ("ck", "k"),
)
_LATIN = str.maketrans({**dict.fromkeys("aeiouyhvw '-.", ""), "c": "k", "q": "q", "z": "z"})


@lru_cache(maxsize=65_536)
def skeleton(text: str) -> str:
    """What is heard of a folded text: the consonants, none of them twice in a row; empty when there are fewer than two."""
    if not text.isascii():
        text = text.translate(_PERSIAN).replace("\0", "")
    for letters, sound in _DIGRAPHS:
        text = text.replace(letters, sound)
    heard = "".join(c for c in text.translate(_LATIN) if c.isalpha())
    once = "".join(c for i, c in enumerate(heard) if i == 0 or heard[i - 1] != c)
    return once if len(once) > 1 else ""
