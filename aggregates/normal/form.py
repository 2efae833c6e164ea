"""What every kind's normal form shares: how a text that cannot be an identifier of its kind is refused."""


class NotAnIdentifier(ValueError):
    """The text cannot be an identifier of this kind. Neither `why` nor `mend` quotes it."""

    def __init__(self, kind: str, why: str, mend: str) -> None:
        super().__init__(f"{kind}: {why}")
        self.kind = kind
        self.why = why
        self.mend = mend
