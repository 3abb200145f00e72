import pytest

from gnomon.capacity import data
from gnomon.core.estimates import Estimate

WORK = [data.ingest_cost, data.clean_cost, data.copy_cost, data.dedup_cost, data.decontaminate_cost, data.chunk_cost,
        data.index_cost, data.vectors_cost, data.trace_cost]  # fmt: skip


@pytest.mark.parametrize("work", WORK)
def test_more_documents_take_more_of_everything(work) -> None:
    small, large = work(data.Load(documents=1_000)), work(data.Load(documents=100_000))
    assert 0 < small.hours < large.hours
    assert 0 < small.memory_bytes < large.memory_bytes
    assert 0 < small.disk_bytes < large.disk_bytes


@pytest.mark.parametrize("work", WORK)
def test_an_estimate_is_made_from_bytes_when_the_number_is_not_known(work) -> None:
    assert work(data.Load(documents=0, source_bytes=20_000_000)).hours > work(data.Load(documents=0)).hours


def test_nothing_to_do_takes_no_time_to_speak_of() -> None:
    empty = data.clean_cost(data.Load(documents=0))
    assert empty.hours < 0.01
    assert empty.usd == 0
    assert isinstance(empty, Estimate)
