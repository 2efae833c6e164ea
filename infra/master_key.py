"""The one secret that everything personal hangs on: from the settings, else a file in the home that only its owner may read."""

import binascii

from infra.errors import Refusal
from infra.home import Home
from infra.sealing import MasterKey
from infra.settings import Settings


def master_key(settings: Settings) -> MasterKey:
    """The installation's master key; made on first use when none is set."""
    if settings.master_key is not None:
        try:
            return MasterKey.from_text(settings.master_key.get_secret_value())
        except (ValueError, binascii.Error) as error:
            raise Refusal("YEKTA_MASTER_KEY is not 32 bytes in base64url.") from error
    folder = Home(settings.home).secrets
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return MasterKey.of_home(folder / "master.key")
