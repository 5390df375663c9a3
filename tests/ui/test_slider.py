from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from mission_tui.widgets.slider import Slider, SliderSpec, Value

BATCH = SliderSpec("batch", "batch", "log", 8, 1, 64, 2, unit="samples")
RANK = SliderSpec("rank", "rank", "integer", 8, 1, 65, 1)
LINK = SliderSpec("link", "link reliability", "float", 0.9, 0.5, 1.0, 0.05, role="assumption")
METHOD = SliderSpec(
    "method",
    "method",
    "choice",
    "lora",
    choices=(("full", "full"), ("lora", "LoRA"), ("t", "Tiny")),
)


class OneSlider(App[None]):
    CSS = "Slider { width: 28; }"

    def __init__(self, spec: SliderSpec, disabled: bool = False) -> None:
        super().__init__()
        self.slider = Slider(spec, disabled=disabled)
        self.values: list[Value] = []
        self.passed_on: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.slider

    def on_mount(self) -> None:
        self.slider.focus()

    def on_slider_changed(self, message: Slider.Changed) -> None:
        self.values.append(message.value)

    def on_key(self, event) -> None:
        self.passed_on.append(event.key)


async def test_slider_draws_label_value_range_and_default():
    app = OneSlider(BATCH)
    async with app.run_test() as pilot:
        await pilot.press("right")
        assert app.slider.as_text().split("\n") == [
            "▌batch        ◂ 16 samples ▸",
            " 1 ━━━━━━━━━━┷━━━●─────── 64",
        ]


async def test_arrows_shift_home_and_end_move_on_the_grid_and_post_each_change():
    app = OneSlider(RANK)
    async with app.run_test() as pilot:
        await pilot.press("right", "left", "shift+right", "home", "left", "end", "shift+left", "r")
    assert app.values == [9, 8, 18, 1, 65, 55, 8]


async def test_log_slider_takes_powers_of_its_factor_and_ends_at_high():
    spec = SliderSpec("n", "n", "log", 1, 1, 10, 2)
    assert [spec.value_at(i) for i in range(spec.stops)] == [1, 2, 4, 8, 10]


async def test_float_stops_carry_no_binary_dust():
    spec = SliderSpec("p", "p", "float", 0.1, 0.1, 0.5, 0.1)
    assert [spec.value_at(i) for i in range(spec.stops)] == [0.1, 0.2, 0.3, 0.4, 0.5]


async def test_slider_clamps_typed_value_with_a_visible_word():
    app = OneSlider(BATCH)
    async with app.run_test() as pilot:
        await pilot.press(*"999")
        assert app.values == []
        assert "❯ 999" in app.slider.as_text()
        await pilot.press("enter")
        assert app.values == [64]
        assert "clamped to most" in app.slider.as_text()
        await pilot.press("left")
        assert "clamped" not in app.slider.as_text()


async def test_slider_refuses_what_is_no_number_and_keeps_its_value():
    app = OneSlider(RANK)
    async with app.run_test() as pilot:
        await pilot.press(*"1x", "enter")
        assert app.slider.is_editing
        assert "no number: 1x" in app.slider.as_text()
        assert app.slider.value == 8


async def test_typed_value_off_the_grid_goes_to_the_nearest_step_and_says_so():
    app = OneSlider(LINK)
    async with app.run_test() as pilot:
        await pilot.press(*"0.71", "enter")
        assert app.values == [0.7]
        assert "nearest step 0.7" in app.slider.as_text()


@pytest.mark.parametrize("key", ["escape", "up"])
async def test_escape_and_leaving_abandon_an_entry(key):
    app = OneSlider(RANK)
    async with app.run_test() as pilot:
        await pilot.press("5", key)
        assert not app.slider.is_editing
        assert app.values == []


async def test_infinity_is_refused():
    assert RANK.read("inf") is None
    assert RANK.read("1e999") is None


async def test_up_and_down_are_left_to_the_parent():
    app = OneSlider(RANK)
    async with app.run_test() as pilot:
        await pilot.press("up", "down")
        assert app.passed_on == ["up", "down"]


async def test_choice_is_a_strip_with_the_chosen_one_in_brackets():
    app = OneSlider(METHOD)
    async with app.run_test() as pilot:
        assert app.slider.as_text().split("\n")[1] == "  full [LoRA] Tiny"
        await pilot.press("1")
        assert app.values == ["full"]
        assert app.slider.as_text().split("\n")[1] == " [full] LoRA  Tiny"


async def test_choices_too_long_for_the_strip_become_dots():
    choices = tuple((str(i), f"a long option {i}") for i in range(4))
    app = OneSlider(SliderSpec("m", "m", "choice", "0", choices=choices))
    async with app.run_test() as pilot:
        await pilot.press("right")
        first, second = app.slider.as_text().split("\n")
        assert "a long option 1" in first
        assert second.split() == ["◌", "●", "○", "○", "2", "of", "4"]


async def test_click_on_the_track_sets_and_wheel_steps():
    app = OneSlider(RANK)
    async with app.run_test() as pilot:
        await pilot.click(Slider, offset=(24, 1))
        assert app.values[-1] == 65
        await pilot.click(Slider, offset=(3, 1))
        assert app.values[-1] == 1
        app.slider.on_mouse_scroll_up(_Wheel())
        await pilot.pause()
        assert app.values[-1] == 2


class _Wheel:
    def stop(self) -> None:
        pass


async def test_disabled_slider_says_fixed_and_does_not_move():
    app = OneSlider(RANK, disabled=True)
    async with app.run_test() as pilot:
        await pilot.press("right")
        assert "8 fixed" in app.slider.as_text()
        assert app.values == []


async def test_policy_and_assumption_differ_without_colour():
    policy, assumption = OneSlider(RANK), OneSlider(LINK)
    async with policy.run_test():
        assert "●" in policy.slider.as_text()
    async with assumption.run_test():
        assert "◇" in assumption.slider.as_text()
        assert "●" not in assumption.slider.as_text()


async def test_cursor_of_a_screen_reader_follows_the_value():
    app = OneSlider(RANK)
    async with app.run_test():
        x, y = app.cursor_position
        assert app.slider.as_text().split("\n")[y][x:].startswith("8")


async def test_no_row_is_wider_than_the_slider_whatever_its_texts():
    spec = SliderSpec("x", "界" * 40, "float", 0.5, format=lambda value: "\x1b[31m" + "y" * 90)
    app = OneSlider(spec)
    async with app.run_test():
        strips = [app.slider.render_line(y) for y in range(2)]
        assert [strip.cell_length for strip in strips] == [28, 28]
        assert "\x1b" not in app.slider.as_text()


async def test_no_color_environment_draws(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = OneSlider(METHOD)
    async with app.run_test() as pilot:
        await pilot.press("right")
        assert "[Tiny]" in app.slider.as_text()


@pytest.mark.parametrize(
    "wrong", [{"low": 2.0, "high": 1.0}, {"step": 0.0}, {"step": 1e-9}, {"kind": "log"}]
)
def test_spec_without_sensible_stops_is_refused(wrong):
    with pytest.raises(ValueError):
        SliderSpec(**({"id": "a", "label": "a", "kind": "float", "default": 1} | wrong))


MANY = SliderSpec(
    "purse", "Budget", "choice", "$7", choices=tuple((f"${n}", f"${n},000") for n in range(14))
)


async def test_more_choices_than_there_is_room_for_have_a_rail_whose_knob_is_always_in_sight():
    app = OneSlider(MANY)
    async with app.run_test() as pilot:
        await pilot.press("home")
        knobs = []
        for at in range(14):
            row = app.slider.as_text().split("\n")[1]
            assert row.count("●") == 1
            assert row.endswith(f" {at + 1} of 14")
            knobs.append(row.index("●"))
            await pilot.press("right")
        assert knobs == sorted(set(knobs))


async def test_a_click_on_a_rail_goes_there():
    app = OneSlider(MANY)
    async with app.run_test() as pilot:
        await pilot.press("end")
        end = app.slider.as_text().split("\n")[1].index("●")
        await pilot.press("home")
        await pilot.click(Slider, offset=(end, 1))
        assert app.slider.value == "$13"


async def test_dots_stand_closer_before_they_give_way_to_a_rail():
    eight = SliderSpec(
        "n", "n", "choice", "0", choices=tuple((str(n), f"{n} changes") for n in range(8))
    )
    app = OneSlider(eight)
    async with app.run_test():
        row = app.slider.as_text().split("\n")[1]
        assert row.count("○") == 7
        assert "○1" not in row.replace(" ", "", 1)
        assert row.endswith(" 1 of 8")


def test_help_speaks_of_the_slider_that_has_the_focus():
    assert "typed value" in Slider(RANK).HELP
    assert "assumption" not in Slider(RANK).HELP
    assert "assumption" in Slider(LINK).HELP
    assert "typed value" not in Slider(METHOD).HELP
