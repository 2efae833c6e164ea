"""Takes from names what is no part of them: titles, honorifics, and what a company's law adds to its name. For comparison only.

Texts come folded (`persian.fold`). A name that consists of nothing else stays as it is.
"""

_TITLES = """
    mr mrs ms miss mx dr prof professor eng sir dame rev herr frau madame monsieur mme sr sra jr
    اقا اقای خانم خانوم دکتر دکترا مهندس استاد حاج حاجی حاجیه سرکار جناب سید سیده دوشیزه بانو
"""
TITLES = frozenset(_TITLES.split())
"""Words of respect, and of birth, that some systems write before a name and others do not."""

DESCENT = frozenset({"سادات", "السادات"})
"""What is said of a Seyyed's daughter behind her name, by some systems and not by others: فاطمه سادات حسینی."""


def without_titles(text: str) -> str:
    """A folded name without its titles: دکتر سارا کریمی and سارا کریمی are the same person's."""
    parts = text.split(" ")
    if len(parts) < 2:
        return text
    kept = [part for part in parts if part.rstrip(".") not in TITLES]
    if len(kept) > 2:  # at the end it is a family's name
        kept = [kept[0], *(part for part in kept[1:-1] if part not in DESCENT), kept[-1]]
    return " ".join(kept) if kept else text
