"""Looks for callers' numbers where they must not be.

Knows how a number can be written. Must never know which file is which.
"""

import pathlib
import re
import sqlite3
import typing


def national(number: str) -> str:
    """The part that all writings share: without +33, 0033 or 0."""
    digits = re.sub(r"\D", "", number)
    digits = re.sub(r"^(00)?33(?=\d{9}$)", "", digits)
    return digits.removeprefix("0") if len(digits) == 10 else digits


def pattern(number: str) -> re.Pattern[bytes]:
    """Matches a number in every format: any prefix, and spaces, dots, dashes or slashes between the digits."""
    return re.compile(rb"[ .\-/()]?".join(digit.encode() for digit in national(number)))


def leaks(data: bytes, numbers: typing.Iterable[str]) -> list[str]:
    """Which of the numbers are in the data, with what stands around, the number itself struck out."""
    found = []
    for number in numbers:
        expression = pattern(number)
        match = expression.search(data)
        if not match:
            # UTF-16, as some formats keep text.
            match = re.search(rb"\x00".join(digit.encode() for digit in national(number)), data)
        if match:
            around = data[max(0, match.start() - 60) : match.end() + 30]
            found.append(f"caller's number in …{around.replace(match.group(), b'<NUMBER>')!r}…")
    return found


def leaks_in_files(folders: typing.Iterable[pathlib.Path], numbers: typing.Collection[str]) -> list[str]:
    """The same for every file below some folders."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file():
                found += [f"{path}: {leak}" for leak in leaks(path.read_bytes(), numbers)]
                # What a page of the file splits, a query does not.
                if path.suffix in (".sqlite", ".db"):
                    found += [f"{path}, read as a database: {leak}" for leak in leaks(_dump(path), numbers)]
    return found


def _dump(path: pathlib.Path) -> bytes:
    """Every row of every table as text."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()
