"""Signals become an end between two updates."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from seq2seq.training.interrupt import Interrupt, Interrupted


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_waits_for_the_check(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), number)
        # Nothing has happened yet but that a second signal would act as ever.
        assert signal.getsignal(number) == before
        with pytest.raises(Interrupted) as caught:
            interrupt.check()
    assert caught.value.exit_code == code
    assert str(caught.value) == number.name
    assert isinstance(caught.value, KeyboardInterrupt)
    assert signal.getsignal(number) == before


def test_a_second_signal_ends_at_once() -> None:
    def twice() -> None:
        with Interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            signal.sigtimedwait([], 1)  # a place for the signal to arrive

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_elsewhere_than_in_the_main_thread_it_does_nothing() -> None:
    failures = []

    def enter() -> None:
        try:
            with Interrupt() as interrupt:
                interrupt.check()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert failures == []
