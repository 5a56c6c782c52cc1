"""Text for FITS cards, which hold printable ASCII only (FITS Standard 4.0, section 4.2.1)."""

from __future__ import annotations

import unicodedata

_SPELLED = str.maketrans(
    {
        "α": "a", "β": "b", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "h", "θ": "th",
        "ι": "i", "κ": "k", "λ": "l", "μ": "u", "ν": "n", "ξ": "x", "π": "p", "ρ": "r",
        "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "ph", "χ": "ch", "ψ": "ps", "ω": "o",
        "Α": "A", "Β": "B", "Γ": "G", "Δ": "D", "Λ": "L", "Σ": "S", "Ω": "O",
        "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "°": "deg", "×": "x",
        "–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "±": "+-",
    }
)  # fmt: skip
"""What accents-off does not spell: Hα is written Ha, 5 µm is 5 um, -10 °C is -10 degC."""


def to_ascii(text: str) -> str:
    """Spell `text` in printable ASCII: accents off, Greek and symbols by letters, the rest ``?``.

    Control characters, line ends and NUL too, become blanks.
    """
    if text.isascii() and text.isprintable():
        return text
    # Signs such as µ and the superscripts decompose to what the table spells.
    spelled = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).translate(_SPELLED))
    kept = (c for c in spelled if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" if c.isprintable() else " " for c in kept)
