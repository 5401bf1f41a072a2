"""What stands in place of a name or number, and the initials a name is found by. Pure."""

from __future__ import annotations

_COMPOUND = frozenset({
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "端木", "南宫", "独孤", "宇文", "长孙",
    "轩辕", "司徒", "司空", "呼延", "东郭", "百里", "西门", "申屠",
})
# Surnames that are read otherwise than the same character elsewhere.
_SURNAME_INITIAL = {
    "单": "s", "仇": "q", "查": "z", "解": "x", "曾": "z", "朴": "p", "盖": "g", "区": "o", "翟": "z", "尉": "w", "乐": "y",
    "缪": "m", "员": "y", "贾": "j", "任": "r", "华": "h", "覃": "q", "冼": "x", "黑": "h", "谌": "c",
}


def mask_name(name: str) -> str:
    """Return the surname and a star for every other character: 李*, 王**, 欧阳*; a name in Latin letters keeps its first."""
    name = name.strip()
    if not name:
        return ""
    if name.isascii():
        return name[0] + "***"
    kept = 2 if len(name) > 2 and name[:2] in _COMPOUND else 1
    return name[:kept] + "*" * max(1, len(name) - kept)


def mask_phone(phone: str) -> str:
    """Return a phone with the digits between the first three and the last four starred: 100****0001; short ones wholly."""
    return phone[:3] + "*" * (len(phone) - 7) + phone[-4:] if len(phone) >= 8 else "*" * len(phone)


def mask_id_number(number: str) -> str:
    """Return an identity number with all between its first and last four characters starred: 3715**********1234."""
    return number[:4] + "*" * (len(number) - 8) + number[-4:] if len(number) >= 12 else "*" * len(number)


def initials(name: str) -> str:
    """Return the lower-case pinyin initials of `name` ("王兰英" → "wly"); Latin words give their first letter, digits stay.

    At most 16 characters. The first call loads the pinyin dictionary (about 0.1 s).
    """
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 - a large dictionary, needed only where names are written

    found: list[str] = []
    for word in name.split():
        if word.isascii():
            found.append(word[0] if word[0].isalpha() else word)
        else:
            found.extend(part[:1] for part in lazy_pinyin(word, style=Style.FIRST_LETTER))
    if found and name.strip()[0] in _SURNAME_INITIAL:
        found[0] = _SURNAME_INITIAL[name.strip()[0]]
    return "".join(found).lower()[:16]
