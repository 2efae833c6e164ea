"""Files that others made are understood, or refused with what is missing: names of the id, encodings, pairs with labels, groups."""

from pathlib import Path

import pytest

from infra.errors import Refusal
from infra.evaluation.known import read_records, read_truth

RECORDS = "{id},name\n1,a\n2,b\n3,c\n"
THERE = ("1", "2", "3")


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("name", ["id", "ID", "unique_id", "Record ID", "شناسه"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_id_is_found_under_its_usual_names(tmp_path: Path, name: str, encoding: str) -> None:
    records = read_records(written(tmp_path, RECORDS.format(id=name), encoding))
    assert records == {"1": {"name": "a"}, "2": {"name": "b"}, "3": {"name": "c"}}


@pytest.mark.parametrize(
    "text",
    [
        "id_a,id_b\n2,1\n",
        "id_a;id_b\n1;2\n2;1\n1;1\n",
        "1,2\n",
        "left,right\n1,2\n",
        "n,id_a,id_b\n3,1,2\n",
        "ltable_id,rtable_id,gold\n1,2,1\n2,3,0\n",
        "id,cluster\n1,x\n2,x\n3,y\n",
        "cluster_id,record_id\n3,1\n3,2\n1,3\n",
    ],
)
def test_the_truth_may_be_pairs_labelled_pairs_or_groups(tmp_path: Path, text: str) -> None:
    assert read_truth(written(tmp_path, text), THERE, None) == {("1", "2")}


def test_groups_across_two_tables_are_pairs_of_one_from_each(tmp_path: Path) -> None:
    path = written(tmp_path, "id,cluster\na1,x\na2,x\nb1,x\nb2,y\n")
    assert read_truth(path, ("a1", "a2"), ("b1", "b2")) == {("a1", "b1"), ("a2", "b1")}


@pytest.mark.parametrize("text", ["", "name\na\n", RECORDS.format(id="id") + "1,again\n"])
def test_records_without_an_id_of_their_own_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refusal):
        read_records(written(tmp_path, text))


@pytest.mark.parametrize("text", ["", "id_a,id_b\n", "id_a,id_b\n8,9\n"])
def test_a_truth_about_nobody_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refusal):
        read_truth(written(tmp_path, text), THERE, None)
