"""The four kinds of trouble a handler may meet; only the first is ever raised on purpose.

Exception
├── Refused            a rule says no: the person reads the sentence, nothing was written
│   └── NotUnderstood  we could not read what was typed: the sentence says what to type
└── anything else      a bug: rolled back, the person gets a number, the log the same number
"""

from __future__ import annotations


class Refused(Exception):
    """A rule says no. The message is one Chinese sentence that says what to do next."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotUnderstood(Refused):
    """What was typed cannot be read; a form asks the same question again."""
