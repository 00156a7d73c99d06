"""Which of a journal's epochs stand."""

from epochtop.core.events import Event, RunResumed, Warned
from epochtop.core.run.standing import standing_epochs
from tests.records import epoch_record


def test_without_going_back_all_epochs_stand() -> None:
    records: list[Event] = [epoch_record(1), Warned(message="careful"), epoch_record(2)]
    assert standing_epochs(records) == [records[0], records[2]]


def test_epochs_after_the_one_gone_back_to_are_void_and_trained_again() -> None:
    first, again = epoch_record(2, val_loss=2.0), epoch_record(2, val_loss=1.0)
    records: list[Event] = [epoch_record(1), first, epoch_record(3), RunResumed(epoch=1), again]
    assert [(record.epoch, record.val_loss) for record in standing_epochs(records)[1:]] == [
        (2, 1.0)
    ]


def test_a_loop_that_goes_back_without_saying_so_voids_what_it_trains_again() -> None:
    records: list[Event] = [epoch_record(number) for number in (1, 2, 3, 4, 2, 3)]
    assert standing_epochs(records) == [records[0], *records[4:]]


def test_a_run_that_went_back_to_its_start_has_no_epoch() -> None:
    assert standing_epochs([epoch_record(1), RunResumed(epoch=0)]) == []
    assert standing_epochs([]) == []
