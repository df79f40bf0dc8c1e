"""企业微信's sealed envelopes: signature, AES-256-CBC with a padding of 32, and who they are for.

developer.work.weixin.qq.com/document/path/90968 and 101033. The signature is checked in constant time and before
anything is decrypted or parsed; whatever is wrong comes out as the same ``Forged``, so that no answer is an oracle.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # the padding's block; AES itself has 16, so generic unpadding refuses half of all messages
HEAD = 16  # random bytes in front


class Forged(Exception):
    """Not from the platform, not for us, or damaged; it never says which."""


def signature(token: str, timestamp: str, nonce: str, sealed: str) -> str:
    joined = "".join(sorted((token, timestamp, nonce, sealed)))
    return hashlib.sha1(joined.encode("utf-8", "replace")).hexdigest()  # noqa: S324 the platform's choice


class Seal:
    """One secret pair. ``receiver``: the corp's id; "" for the bot's own callbacks."""

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        self._token = token
        self._key = _key(aes_key)
        self._receiver = receiver

    def __repr__(self) -> str:
        return "<Seal>"

    def open(self, given: str, timestamp: str, nonce: str, sealed: str) -> bytes:
        """The message inside. ``Forged`` for anything but a whole, signed message for us."""
        wanted = signature(self._token, timestamp, nonce, sealed)
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
            raise Forged
        message, receiver = decrypt(self._key, sealed)
        if not hmac.compare_digest(receiver, self._receiver.encode()):
            raise Forged
        return message

    def close(self, message: bytes, timestamp: str, nonce: str, random: bytes | None = None) -> tuple[str, str]:
        """The sealed text and its signature."""
        sealed = encrypt(self._key, message, self._receiver.encode(), random)
        return sealed, signature(self._token, timestamp, nonce, sealed)


def decrypt(key: bytes, sealed: str) -> tuple[bytes, bytes]:
    """The message and the receiver's id."""
    try:
        plain = unpadded(_cbc(key, base64.b64decode(sealed, validate=True)))
    except (binascii.Error, ValueError):
        raise Forged from None
    if len(plain) < HEAD + 4:
        raise Forged
    (length,) = struct.unpack(">I", plain[HEAD : HEAD + 4])
    end = HEAD + 4 + length
    if end > len(plain):
        raise Forged
    return plain[HEAD + 4 : end], plain[end:]


def encrypt(key: bytes, message: bytes, receiver: bytes, random: bytes | None = None) -> str:
    head = random if random is not None else os.urandom(HEAD)
    plain = head + struct.pack(">I", len(message)) + message + receiver
    pad = BLOCK - len(plain) % BLOCK
    box = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(box.update(plain + bytes([pad]) * pad) + box.finalize()).decode()


def media(aes_key: str, content: bytes) -> bytes:
    """A file that somebody sent; ``aes_key`` is base64, perhaps without its ``=``. ``Forged``: not to be opened."""
    try:
        return unpadded(_cbc(_key(aes_key), content))
    except ValueError:
        raise Forged from None


def unpadded(plain: bytes) -> bytes:
    """Without the PKCS#7 padding of 1 to 32 bytes."""
    pad = plain[-1] if plain else 0
    if not 1 <= pad <= BLOCK or pad > len(plain) or plain[-pad:] != bytes([pad]) * pad:
        raise Forged
    return plain[:-pad]


def _cbc(key: bytes, content: bytes) -> bytes:
    if not content or len(content) % 16:
        raise Forged
    box = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return box.update(content) + box.finalize()


def _key(text: str) -> bytes:
    """43 characters of base64, or 44 with its ``=``. The last one may be non-canonical: the official sample's is."""
    try:
        key = base64.b64decode(text.rstrip("=") + "=")
    except (binascii.Error, ValueError):
        raise ValueError("the AES key is 43 characters of base64") from None
    if len(key) != 32:
        raise ValueError("the AES key is 43 characters of base64")
    return key
