"""Names that can't be taken for others: UTS #39, highly restrictive."""

import pytest

from ferryman.platform.person_names import look_the_same, problem, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace", "José", "Jose\u0301", "Анна", "田中さくら", "田中 Taro", "陳大文 David", "김철수 Kim",
        "O'Brien-Smith, Jr.",
        "O’Brien", "Łukasz Żółć", "Nguyễn Văn Á", "Đặng", "İbrahim", "Þór", "Αθηνά", "محمد", "דוד", "प्रिया", "สมชาย",
        "கமலா",
        "ნინო", "Արամ", "ሰላም", "山田ヶ", "Ada (SRE) #2", "J", "Zoë", "ʻOkelani",
    ],
)  # fmt: skip
def test_people_have_these_names(name: str) -> None:
    assert problem(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Аda", "mixes scripts: 'А' is Cyrillic and 'd' is Latin"),
        ("Adа Lovelace", "mixes scripts"),
        ("Анна Smith", "mixes scripts"),
        ("Αda", "'Α' is Greek"),
        ("田中アdа", "mixes scripts"),
        ("가ひ", "mixes scripts"),
        ("Ada\u200b", "U+200B (ZERO WIDTH SPACE), which is invisible"),
        ("A\u200dda", "U+200D (ZERO WIDTH JOINER), which is invisible"),
        ("Ada\u202eevoL", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("\u2066Ada", "U+2066 (LEFT-TO-RIGHT ISOLATE)"),
        ("\u200fAda", "U+200F (RIGHT-TO-LEFT MARK)"),
        ("A\u00adda", "U+00AD (SOFT HYPHEN)"),
        ("Ada\u3164", "U+3164 (HANGUL FILLER), which is invisible"),
        ("Ada\ufe0f", "VARIATION SELECTOR-16"),
        ("Ada\U000e0041", "U+E0041"),
        ("A\u034fda", "COMBINING GRAPHEME JOINER"),
        ("Ada\u00a0L", "write an ordinary space"),
        ("Ada\u3000L", "write an ordinary space"),
        ("𝐀da", "names are not written with"),
        ("Ａｄａ", "names are not written with"),
        ("ⅠⅠ", "names are not written with"),
        ("ﬁona", "names are not written with"),
        ("Ada 😀", "names are not written with"),
        ("\ue000", "U+E000, which names are not written with"),
        ("ꓮda", "names are not written with"),
        ("\u0301Ada", "accents that belong to no letter"),
        ("a\u0301\u0301", "too many on one"),
        ("a\u0300\u0301\u0302\u0303\u0304", "too many on one"),
        ("Ada 1٢", "mix"),
        ("अ1१", "mixes digits"),
    ],
)
def test_nobody_has_these_names(name: str, told: str) -> None:
    assert told in (problem(name) or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "Ada LoveIace"),
        ("Ada Lovelace", "ADA  lovelace"),
        ("Bob 0", "bob O"),
        ("mike", "rnike"),
        ("Iris", "lris"),
        ("IRIS", "lrls"),
        ("Аса", "Aca"),
        ("СОРОС", "copoc"),
        ("José", "Jose\u0301"),
        ("O'Brien", "O’Brien"),
        ("Ada", "A\u200bda"),
        ("Łukasz", "L\u0338ukasz"),
    ],
)
def test_these_look_the_same(one: str, other: str) -> None:
    assert look_the_same(one, other)
    assert look_the_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("José", "Jose"), ("Анна", "Anna"), ("Ada", "Adam"), ("Müller", "Muller"), ("田中", "田中さくら")],
)
def test_these_differ(one: str, other: str) -> None:
    assert not look_the_same(one, other)


def test_the_skeletons_of_the_standard() -> None:
    """https://www.unicode.org/reports/tr39/#Confusable_Detection: `paypal` with Cyrillic letters; and `scope`."""
    assert skeleton("раураl") == skeleton("paypal")
    assert skeleton("ѕсоре") == skeleton("scope")
    assert skeleton("½") == "½", "the table has only what names are written with"
