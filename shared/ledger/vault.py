"""Encryption at rest of what may have to be forgotten and of held bytes (I-14): AES-256-GCM."""

import hashlib
import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class Vault:
    """Seals and opens bytes with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"The content key must have {KEY_BYTES} bytes; this one has {len(key)}.")
        self._cipher = AESGCM(key)
        self._fingerprint_key = hmac.digest(key, b"joint fingerprint", "sha256")

    def seal(self, plain: bytes) -> bytes:
        """Return nonce and ciphertext of `plain`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def fingerprint(self, plain: bytes) -> bytes:
        """Return the keyed BLAKE2b of `plain`: equal for equal bytes, and nothing to guess from without the key."""
        return hashlib.blake2b(plain, key=self._fingerprint_key, digest_size=32).digest()

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            ValueError: if the bytes were sealed with another key or changed since.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag as error:
            raise ValueError("The bytes were sealed with another key or were changed since.") from error
