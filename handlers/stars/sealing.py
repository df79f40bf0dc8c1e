"""Sealed envelopes and the keys that open them. libsodium's sealed box through PyNaCl, HMAC-SHA-256; nothing invented.

An envelope is a sealed box (X25519, XSalsa20-Poly1305) of 32 bytes: two for the seat, thirty at random, so that every
envelope has the same length and no two are alike. Whoever reads the database, its backups or its log has only these.
The private key is a file outside all of them. It is made before the election opens and destroyed after the count.

What this does not protect from: root on this machine while a vote is open, and the chat platform that sees the press.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nacl.bindings import crypto_box_SEALBYTES
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from storage.ballots import Election, Elector, digest

LENGTH = 32 + crypto_box_SEALBYTES
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O, U: read aloud and copied by hand without mistakes


# --- envelopes ------------------------------------------------------------------------------------------------


def seal(pk: bytes, seat: int) -> bytes:
    """An envelope that only the holder of the private key can open."""
    return _box(pk).encrypt(seat.to_bytes(2, "big") + secrets.token_bytes(30))


@lru_cache(maxsize=8)
def _box(pk: bytes) -> SealedBox[PublicKey]:
    return SealedBox(PublicKey(pk))


def unseal(key: PrivateKey, envelope: bytes) -> int | None:
    """The seat inside, or ``None`` where it was not sealed for this key."""
    try:
        plain = SealedBox(key).decrypt(envelope)
    except CryptoError:
        return None
    return int.from_bytes(plain[:2], "big") if len(plain) == 32 else None


def opened(key: PrivateKey, envelopes: Iterable[bytes]) -> list[int | None]:
    """The seats, in an order that says nothing of the order in which the envelopes were given."""
    stripped = list(envelopes)
    secrets.SystemRandom().shuffle(stripped)
    return [unseal(key, envelope) for envelope in stripped]


def mac(host: bytes, election: int, settings_hash: str, person: int, envelope: bytes) -> bytes:
    """Ties an envelope to its voter and to the frozen rules; nobody can make one from the database alone."""
    text = b"%d|%s|%d|" % (election, settings_hash.encode(), person)
    return hmac.digest(host, text + hashlib.sha256(envelope).digest(), "sha256")


def code(election: int, person: int, envelope: bytes) -> str:
    """The receipt: 60 bits that only this envelope of this person gives. It tells nothing of the choice."""
    text = b"hz1|%d|%d|" % (election, person)
    whole = hashlib.sha256(text + hashlib.sha256(envelope).digest()).digest()
    return readable(int.from_bytes(whole[:8], "big") >> 4)


def readable(bits: int) -> str:
    """60 bits as K7QF-2M9D-XW3T."""
    signs = "".join(_ALPHABET[bits >> shift & 31] for shift in range(55, -1, -5))
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


def fingerprint(settings_hash: str) -> str:
    """The rules of an election in twelve signs, to be announced where all can read it."""
    return readable(int(settings_hash[:16], 16) >> 4)


def faults(host: bytes, election: Election, roll: Sequence[Elector], published: Sequence[str]) -> list[str]:
    """What does not fit, one word each; empty: the box may be opened."""
    number, rules_hash = election.id, election.settings_hash
    touched = [line for line in roll if line.voted or line.envelope is not None or line.mac is not None]
    whole = [(line.person, line.envelope, line.mac) for line in touched if line.voted and line.envelope and line.mac]
    found = {
        "settings": digest(election.text) != rules_hash,
        "roll": {line.person for line in roll} != election.electors,
        "flag": len(whole) != len(touched),
        "seal": not all(
            hmac.compare_digest(there, mac(host, number, rules_hash, person, envelope))
            for person, envelope, there in whole
        ),
        "twin": len({envelope for _person, envelope, _mac in whole}) != len(whole),
        "size": any(len(envelope) != LENGTH for _person, envelope, _mac in whole),
        "list": sorted(code(number, person, envelope) for person, envelope, _mac in whole) != sorted(published),
    }
    return [name for name, wrong in found.items() if wrong]


# --- keys -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyRing:
    """A folder (0700) of files (0600) that no backup may hold: one private key per election, and the host's own key.

    A key's file is named by election and public key, so that no second opening can ever write over the first.
    ``OSError`` where the folder cannot be used.
    """

    folder: Path

    def make(self, election: int) -> bytes:
        """A new key for this election, durable before this returns; its public half."""
        if self.host() is None:
            self._put(self._host, secrets.token_bytes(32))
        key = PrivateKey.generate()
        self.write(election, key)
        return bytes(key.public_key)

    def write(self, election: int, key: PrivateKey) -> None:
        self._put(self._path(election, bytes(key.public_key)), bytes(key))

    def read(self, election: int, pk: bytes) -> PrivateKey | None:
        """The private half of ``pk``; ``None`` where it is lost. Another's key is no key."""
        found = _content(self._path(election, pk))
        if found is None or len(found) != PrivateKey.SIZE:
            return None
        key = PrivateKey(found)
        return key if bytes(key.public_key) == pk else None

    def destroy(self, election: int) -> None:
        """Overwrites and removes every key of this election. Done twice it is done once."""
        for path in sorted(self._elections.glob(f"{election}.*")):
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        if self._elections.exists():
            _sync_folder(self._elections)

    def host(self) -> bytes | None:
        """The key of the seals."""
        return _content(self._host)

    def ready(self, election: int, pk: bytes | None) -> bytes | None:
        """The host key, if the election's own key is there too: only then is a vote worth taking."""
        return self.host() if pk is not None and self._path(election, pk).exists() else None

    @property
    def _host(self) -> Path:
        return self.folder / "host.key"

    @property
    def _elections(self) -> Path:
        return self.folder / "elections"

    def _path(self, election: int, pk: bytes) -> Path:
        return self._elections / f"{election}.{hashlib.sha256(pk).hexdigest()[:16]}.sk"

    def _put(self, path: Path, content: bytes) -> None:
        """Beside, flushed, renamed, the folder flushed: there whole or not at all, whenever the power fails."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with open(beside, "wb", opener=_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
        _sync_folder(path.parent.parent)  # which may have just got a new folder


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
