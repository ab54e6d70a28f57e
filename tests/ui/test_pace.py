"""When the next frame may go out, told by answers, by the queue of writes, and by patience."""

from __future__ import annotations

from hpatui.ui.pace import LARGE, PATIENCE, SLOW_FRAMES, SMALL, UNKNOWN_RATE, Pace


def _answering() -> Pace:
    pace = Pace()
    assert not pace.answered(0.0), "the answer to Textual's own question, which nobody awaited"
    return pace


def test_a_line_that_takes_everything_is_never_held() -> None:
    pace = Pace()
    for step in range(10):
        assert pace.may_send(step, 0)
        assert not pace.sent(5000, step), "this terminal is not known to answer: no use in asking"
    assert not pace.slow


def test_after_a_large_frame_the_next_waits_for_the_answer() -> None:
    pace = _answering()
    assert pace.sent(SMALL + 1, 1.0)
    assert not pace.may_send(1.1, 0)
    assert pace.answered(1.2)
    assert pace.may_send(1.2, 0)


def test_a_small_frame_needs_no_answer() -> None:
    pace = _answering()
    assert not pace.sent(SMALL, 1.0)
    assert pace.may_send(1.0, 0)


def test_an_answer_that_never_comes_is_given_up() -> None:
    pace = _answering()
    pace.sent(9999, 1.0)
    assert not pace.may_send(1.0 + PATIENCE / 2, 0)
    assert pace.may_send(1.0 + PATIENCE, 0)


def test_writes_that_nobody_takes_hold_the_next() -> None:
    pace = Pace()
    assert not pace.may_send(1.0, 1)
    assert pace.may_send(1.1, 0)
    assert not pace.slow


def test_several_late_frames_in_a_row_mean_a_slow_line() -> None:
    pace = _answering()
    for step in range(SLOW_FRAMES):
        assert not pace.slow
        pace.sent(9999, step * 10.0)
        pace.answered(step * 10.0 + 1.0)
    assert pace.slow


def test_one_late_frame_does_not() -> None:
    pace = _answering()
    for step in range(9):
        pace.sent(9999, step * 10.0)
        pace.answered(step * 10.0 + (1.0 if step % 3 == 0 else 0.01))
    assert not pace.slow


def test_a_terminal_that_never_answers_gets_a_pause_behind_a_large_frame() -> None:
    pace = Pace()
    pace.sent(LARGE * 2, 1.0)
    assert not pace.may_send(1.1, 0)
    assert pace.may_send(1.0 + LARGE * 2 / UNKNOWN_RATE, 0)
    pace.sent(LARGE, 5.0)
    assert pace.may_send(5.0, 0), "a small one needs none"


def test_a_measured_rate_paces_every_frame_of_such_a_terminal() -> None:
    pace = Pace()
    pace.measured(1000.0)
    pace.sent(500, 1.0)
    assert not pace.may_send(1.4, 0)
    assert pace.may_send(1.5, 0)
    assert "1.0 KB/s" in pace.told()


def test_an_answer_ends_the_pause() -> None:
    pace = Pace()
    pace.sent(LARGE * 2, 1.0)
    pace.answered(1.05)
    assert pace.may_send(1.06, 0)
