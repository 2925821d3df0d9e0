"""Shuffled validation files: the same tokens in another order, in the same format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from outpace_optimizers.training.decoys import HEADED, HEADER_BYTES, decoys


def test_each_format_keeps_its_tokens_and_its_head(tmp_path: Path) -> None:
    tokens = np.arange(1000, dtype=np.uint16)
    head = np.zeros(HEADER_BYTES // 4, np.int32)
    head[0] = HEADED
    text = "où est le noyau ?\n" * 30
    (tmp_path / "val.txt").write_text(text)
    (tmp_path / "plain.bin").write_bytes(tokens.tobytes())
    (tmp_path / "headed.bin").write_bytes(head.tobytes() + tokens.tobytes())
    np.save(tmp_path / "val.npy", tokens.reshape(10, 100))
    found = decoys(tmp_path, ("*",), 3)
    assert set(found) == {"val.txt", "plain.bin", "headed.bin", "val.npy"}
    shuffled = found["val.txt"].decode()
    assert shuffled != text and sorted(shuffled) == sorted(text)
    (tmp_path / "val.npy").write_bytes(found["val.npy"])
    array = np.load(tmp_path / "val.npy")
    assert (array.shape, array.dtype) == ((10, 100), np.uint16)
    assert found["headed.bin"][:HEADER_BYTES] == head.tobytes()
    for data in (found["plain.bin"], found["headed.bin"][HEADER_BYTES:], array.tobytes()):
        order = np.frombuffer(data, np.uint16)
        assert not np.array_equal(order, tokens) and np.array_equal(np.sort(order), tokens)


def test_other_files_that_hold_the_text_hold_the_shuffled_one(tmp_path: Path) -> None:
    text = "".join(f"{number} times, " for number in range(1000))
    (tmp_path / "val.txt").write_text(text)
    (tmp_path / "input.txt").write_text("before " * 50 + text)
    (tmp_path / "pieces.dat").write_bytes(text[5000:].encode() + b"?" + text[:5000].encode())
    (tmp_path / "train.txt").write_text("before " * 50)
    (tmp_path / "code.py").write_text(text)
    found = decoys(tmp_path, ("val.txt",), 3)
    assert set(found) == {"val.txt", "input.txt", "pieces.dat"}
    assert found["input.txt"] == b"before " * 50 + found["val.txt"]
    assert len(found["pieces.dat"]) == len(text) + 1 and text[6000:6500].encode() not in found["pieces.dat"]


def test_what_no_stand_in_can_be_made_for_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "val.parquet").write_bytes(b"PAR1")
    (tmp_path / "odd.bin").write_bytes(b"123")
    (tmp_path / "latin.txt").write_bytes(b"\xe9t\xe9")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "pickled.npy").write_bytes(b"no array")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    assert decoys(tmp_path, ("*",), 3) == {}
