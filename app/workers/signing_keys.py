"""Opened secrets, kept for as long as they fit: opening and parsing one costs more than signing with it."""

from collections.abc import Sequence
from uuid import UUID

from app.db.vault import Vault
from app.domain.webhooks.sealed_options import NOTHING_SEALED, SealedOptions
from app.domain.webhooks.webhook_secret import SigningKey, read_secret
from app.operations.deliveries.claim import DueEndpoint, SealedSecret

KEPT = 10_000


class SigningKeys:
    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._opened: dict[UUID, SigningKey] = {}
        self._options: dict[bytes, SealedOptions] = {}  # by what they were sealed into, which is never twice the same

    def of(self, endpoint: DueEndpoint) -> Sequence[SigningKey]:
        """Every secret that signs at the moment, the newest first. Raises CannotOpenSecret."""
        return [self._opened.get(secret.id) or self._open(endpoint, secret) for secret in endpoint.secrets]

    def _open(self, endpoint: DueEndpoint, secret: SealedSecret) -> SigningKey:
        if len(self._opened) >= KEPT:
            self._opened.clear()
        text = self.vault.open(secret.ciphertext, workspace_id=endpoint.workspace_id, row_id=secret.id)
        key = self._opened[secret.id] = read_secret(text)
        return key

    def options_of(self, endpoint: DueEndpoint) -> SealedOptions:
        """Raises CannotOpenSecret."""
        sealed = endpoint.sealed_options
        if sealed is None:
            return NOTHING_SEALED
        return self._options.get(sealed) or self._open_options(endpoint, sealed)

    def _open_options(self, endpoint: DueEndpoint, sealed: bytes) -> SealedOptions:
        if len(self._options) >= KEPT:
            self._options.clear()
        text = self.vault.open(sealed, workspace_id=endpoint.workspace_id, row_id=endpoint.id)
        options = self._options[sealed] = SealedOptions.read(text)
        return options
