"""The example shop's folders for a broker: nobody may see half of a message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection

from example_site.broker import Transport


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "queue").mkdir()
    options = {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "control"),
    }
    # Kombu remembers per process which queues are bound: each test has folders of its own.
    state: Any = Transport.global_state
    state.clear()
    connect: Any = Connection
    with connect("filesystem://", transport=Transport, transport_options=options) as opened:
        yield opened


def test_message_comes_out_as_it_went_in(connection: Any) -> None:
    queue = connection.SimpleQueue("letters")
    queue.put({"number": 7})
    assert queue.get(timeout=1).payload == {"number": 7}


def test_message_has_no_file_of_its_queue_until_it_is_whole(
    connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], bool]] = []
    rename = Path.rename

    def watched(draft: Path, target: Path) -> Path:
        folder = [path.name for path in tmp_path.glob("queue/*.msg")]
        seen.append((folder, draft.read_text().endswith("}")))
        return rename(draft, target)

    queue = connection.SimpleQueue("letters")
    monkeypatch.setattr(Path, "rename", watched)
    queue.put({"number": 7})
    assert seen == [([], True)]
    assert len(list(tmp_path.glob("queue/*.letters.msg"))) == 1


def test_queue_bound_twice_stands_in_the_table_once(connection: Any, tmp_path: Path) -> None:
    for _ in range(2):
        connection.SimpleQueue("letters").close()
    connection.SimpleQueue("parcels").close()
    channel = connection.channel()
    assert [row.queue for row in channel.get_table("letters")] == ["letters"]
    assert [row.queue for row in channel.get_table("parcels")] == ["parcels"]
