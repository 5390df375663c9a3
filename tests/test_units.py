from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_tui.units import (
    UnitError,
    amount,
    base_of,
    brief,
    change,
    digits,
    factor,
    half_step,
    parse,
    show,
    show_change,
    show_in,
    stated,
)

SIZES = st.floats(1e-3, 1e15)
BASES = st.sampled_from(
    ["B", "J", "W", "s", "%", "×", "samples", "", "B/s", "tokens", "FLOP", "points", "points/pass"]
)
CHANGES = st.floats(-1e15, 1e15).filter(lambda x: x == 0 or abs(x) > 1e-8)


@given(SIZES, st.sampled_from(["B", "J", "W", "s", "", "FLOP", "FLOP/s"]))
def test_what_is_shown_reads_back_to_three_digits(value: float, unit: str) -> None:
    shown = show(value, unit)
    finest = 5.01e-7 if unit in {"B", ""} and value < 1e-3 else 0.0
    assert parse(shown, unit) == pytest.approx(value, rel=5.01e-3, abs=finest)


@given(st.floats(1e-7, 1e14), st.sampled_from(["B", "kB", "MB", "GB", "KiB", "MiB", "GiB"]))
def test_a_number_in_any_unit_of_bytes_reads_as_so_many_bytes(value: float, unit: str) -> None:
    assert parse(f"{value:.12f} {unit}", "MB") == pytest.approx(
        float(f"{value:.12f}") * factor(unit, "B")
    )


@given(st.floats(1e-2, 1e6), st.sampled_from(["kB", "MB", "GB", "GiB"]))
def test_show_in_keeps_the_unit_that_was_asked_for(value: float, unit: str) -> None:
    shown = show_in(value * factor(unit, "B"), unit)
    assert shown.endswith(f" {unit}")
    assert parse(shown, unit) == pytest.approx(value * factor(unit, "B"), rel=5.01e-3)


def test_gb_is_decimal_and_gib_binary() -> None:
    assert parse("1 GB", "MB") == 1e9
    assert parse("1 GiB", "MB") == 2.0**30
    assert show(2.0**30, "B") == "1.07 GB"


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("512", "MB", 512e6),
        ("0.5gb", "MB", 0.5e9),
        ("12 G", "MB", 12e9),
        ("1,234,567 B", "MB", 1234567),
        ("1 000 MB", "MB", 1e9),
        ("1_000", "MB", 1e9),
        ("1e3 kB", "MB", 1e6),
        (" 3.5 points ", "%", 3.5),
        ("2x", "×", 2),
        ("-4 %", "%", -4),
        ("5 nJ", "J", 5e-9),
        ("25.6 million", "", 25.6e6),
        ("25.6 M", "", 25.6e6),
        ("20 ms", "s", 0.02),
        ("3 ZFLOP", "FLOP", 3e21),
        ("2", "EFLOP/s", 2e18),
        ("5.5 days", "s", 475_200),
        ("3 points", "points", 3),
    ],
)
def test_quantities_are_read_as_people_write_them(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit", "sentence"),
    [
        ("", "MB", "write a number, for example 12.5 MB"),
        ("much", "MB", "'much' is not a number; write for example 12.5 MB"),
        ("nan", "MB", "'nan' is not a number; write for example 12.5 MB"),
        ("inf", "MB", "'inf' is not a number; write for example 12.5 MB"),
        ("4,2 GB", "MB", "'4,2 GB' is not a number; write for example 12.5 MB"),
        ("1e999", "MB", "'1e999' is too large"),
        ("4 apples", "MB", "'apples' is not a unit here; write for example 12.5 MB"),
        ("4 MB", "%", "'MB' is not a unit here; write for example 12.5 %"),
        ("4 MB", "", "'MB' is not a unit here; write for example 12.5"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(text: str, unit: str, sentence: str) -> None:
    with pytest.raises(UnitError) as refused:
        parse(text, unit)
    assert str(refused.value) == sentence


@given(st.text(max_size=40))
def test_parse_gives_a_finite_number_or_refuses(text: str) -> None:
    try:
        value = parse(text, "MB")
    except UnitError:
        return
    assert math.isfinite(value)


def test_a_change_of_a_percentage_is_in_points() -> None:
    assert show_change(2.34, "%") == "+2.3 points"
    assert show_change(-2.34, "%") == "−2.3 points"
    assert show_change(0.0, "%") == "±0.0 points"
    assert show_change(-4.2e9, "B") == "−4.20 GB"


@given(CHANGES, BASES)
def test_a_written_amount_is_within_half_its_last_digit(change: float, unit: str) -> None:
    number, written = amount(change, unit)
    scale = 1.0 if written == "points" else factor(written, base_of(unit))
    off = abs(float(number) * scale - abs(change))
    assert off <= half_step(number) * scale * (1 + 1e-9) + abs(change) * 1e-12


def test_digits_are_three_and_never_an_exponent() -> None:
    assert [digits(x) for x in (0, 4.2, 99.96, 999.6, 1234567, 0.00123)] == [
        "0",
        "4.20",
        "100",
        "1,000",
        "1,230,000",
        "0.00123",
    ]


def test_a_size_reads_with_the_prefix_after_rounding() -> None:
    assert show(999_600, "B") == "1.00 MB"
    assert show(999_400, "B") == "999 kB"
    assert show(25_557_032, "") == "25.6 million"


def test_arithmetic_is_counted_past_tera() -> None:
    assert show(1.2e25, "FLOP") == "12.0 YFLOP"
    assert show(999.7e18, "FLOP") == "1.00 ZFLOP"
    assert show(4e14, "FLOP/s") == "400 TFLOP/s"
    assert amount(-5e21, "FLOP") == ("5.00", "ZFLOP")
    assert base_of("ZFLOP") == "FLOP"
    assert show(5e15, "B") == "5,000 TB"


def test_a_long_time_reads_in_minutes_hours_or_days() -> None:
    shown = [show(x, "s") for x in (119, 120, 7199, 7200, 259_199, 259_200)]
    assert shown == ["119 s", "2.00 min", "120 min", "2.00 h", "72.0 h", "3.00 days"]
    assert amount(475_200, "s") == ("5.50", "days")


def test_points_stay_points() -> None:
    assert show(12.34, "points/pass") == "12.3 points/pass"
    assert brief(show(12.34, "points/pass")) == "12.3 pts/pass"
    assert show_change(-2.0, "points/pass") == "−2.0 points/pass"


def test_a_unit_of_something_else_is_refused() -> None:
    with pytest.raises(UnitError, match="'s' is not a unit of B"):
        factor("s", "B")
    with pytest.raises(UnitError, match="not a unit of a count"):
        factor("GB", "")


def test_what_is_close_to_all_and_less_than_a_point_keep_a_second_decimal() -> None:
    assert show(98.98, "%") == "98.98 %"
    assert show(99.0, "%") == "99.0 %"
    assert show(100.0, "%") == "100.0 %"
    assert show(64.06, "%") == "64.1 %"
    assert show(0.33, "points") == "0.33 points"
    assert show(12.3, "points") == "12.3 points"
    assert show(0.0, "points") == "0.0 points"
    assert show_change(-0.06, "%") == "−0.06 points"
    assert amount(0.25, "%") == ("0.25", "points")


def test_weeks_are_counted_and_not_prefixed() -> None:
    assert show(0.5, "weeks") == "0.500 weeks"
    assert show(1.0, "weeks") == "1 week"
    assert show(25.9, "weeks") == "25.9 weeks"
    assert brief(show(25.9, "weeks")) == "25.9 wk"
    assert show(0.34, "faults") == "0.340 faults"
    assert brief(show(0.34, "faults")) == "0.340"
    assert parse("3 weeks", "weeks") == 3.0


@pytest.mark.parametrize(
    ("before", "after", "unit", "written"),
    [
        (93.14, 78.36, "%", ("93.1 %", "78.4 %", "−14.7 points")),
        (97.034, 97.018, "%", ("97.034 %", "97.018 %", "−0.016 points")),
        (96.5804, 96.6, "%", ("96.58 %", "96.6 %", "+0.02 points")),
        (0.2361, 0.2142, "points", ("0.236 points", "0.214 points", "−0.022 points")),
        (1.33333, 1.24511, "1/week", ("1.33 a week", "1.25 a week", "−0.08 a week")),
        (3.0, 3.0976, "weeks", ("3 weeks", "3.10 weeks", "+0.10 weeks")),
        (1.3172e6, 1.31175e6, "$", ("$1.317 million", "$1.312 million", "−$5,000")),
        (5, 6, "changes", ("5 changes", "6 changes", "+1 change")),
        (1, 1, "%", ("1.0 %", "1.0 %", "±0.0 points")),
        (3.06e9, 102e6, "B", ("3.06 GB", "102 MB", "−2.96 GB")),
    ],
)
def test_a_difference_is_that_of_what_stands_beside_it(
    before: float, after: float, unit: str, written: tuple[str, str, str]
) -> None:
    assert change(before, after, unit) == written


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["×", "points", "weeks", "nat"]))
def test_a_reader_who_subtracts_finds_the_difference(
    before: float, after: float, unit: str
) -> None:
    first, second, moved = (
        written.replace("−", "-")
        .removesuffix(unit)
        .removesuffix("week")
        .removesuffix("point")
        .strip()
        for written in change(before, after, unit)
    )
    if before != after and first == second:
        assert abs(after - before) < 0.01  # no digits are left that would tell them apart
    elif moved[0] in "+-":
        assert float(second) - float(first) == pytest.approx(
            float(moved), abs=half_step(moved) * (1 + 1e-9)
        )


def test_rates_and_counts_have_no_thousandths() -> None:
    assert show(0.0882, "1/week") == "0.0882 a week"
    assert show(0.1, "$/vote") == "$0.100 a vote"
    assert show(50_000, "images") == "50,000 images"
    assert amount(-0.0882, "1/week") == ("0.0882", "1/week")


def test_money_is_stated_as_it_is_shown() -> None:
    assert amount(-4_650_757, "$") == ("4.65", "million $")
    assert factor("million $", base_of("million $")) == 1e6
    assert stated(*amount(-4_650_757, "$")) == show(4_650_757, "$") == "$4.65 million"
    assert stated(*amount(82_763.4, "$")) == "$82,763"
    assert stated(*amount(14.78, "%")) == "14.8 points"
    assert stated(*amount(0.0882, "1/week")) == "0.0882 a week"
    assert stated(*amount(0.5, "×")) == "0.500×"
