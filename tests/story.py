"""What a model says where each code point counts."""

CHAPTERS = 40
PIECES = tuple(
    piece
    for number in range(CHAPTERS)
    for piece in (f"chapter{number} of nai", "\u0308ve 👩", "\u200d🚀 and 🙂 e", "\u0301t 𐍈 ")
)
"""Accents and joined emoji are torn apart, as tokens do; much is beyond the 16 bits of a UTF-16
unit, so that offsets in anything but code points go wrong."""

STORY = "".join(PIECES)
