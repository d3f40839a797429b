"""What is sealed opens with its key alone; fingerprints tell nothing without it."""

import hashlib

import pytest

from shared.ledger.vault import Vault

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_what_was_sealed_opens_again_and_is_never_sealed_alike() -> None:
    vault = Vault(KEY)
    one, other = vault.seal(b"secret"), vault.seal(b"secret")
    assert vault.open(one) == vault.open(other) == b"secret"
    assert one != other


def test_another_key_or_changed_bytes_open_nothing() -> None:
    sealed = Vault(KEY).seal(b"secret")
    for vault, raw in ((Vault(OTHER), sealed), (Vault(KEY), sealed[:-1] + bytes([sealed[-1] ^ 1]))):
        with pytest.raises(ValueError, match="another key"):
            vault.open(raw)


def test_a_fingerprint_is_the_same_for_the_same_bytes_and_key_only() -> None:
    assert Vault(KEY).fingerprint(b"x") == Vault(KEY).fingerprint(b"x")
    assert len({Vault(KEY).fingerprint(b"x"), Vault(KEY).fingerprint(b"y"), Vault(OTHER).fingerprint(b"x")}) == 3
    assert Vault(KEY).fingerprint(b"x") != hashlib.sha256(b"x").digest()


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")
