import pytest

from gpuscale.io.targets import check_free, publish, remove, temporary_sibling


def make(path, is_folder, text):
    if is_folder:
        path.mkdir()
        (path / "inside").write_text(text)
    else:
        path.write_text(text)
    return path


def text_of(path):
    return (path / "inside" if path.is_dir() else path).read_text()


@pytest.mark.parametrize("old", [None, "file", "folder"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_publish_replaces_anything_by_anything(tmp_path, old, new):
    path = tmp_path / "x"
    if old is not None:
        make(path, old == "folder", "old")
    temporary = make(temporary_sibling(path), new == "folder", "new")
    publish(temporary, path, overwrite=True)
    assert text_of(path) == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_publish_replaces_nothing_unasked(tmp_path):
    path, temporary = make(tmp_path / "x", False, "old"), make(tmp_path / "t", False, "new")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        publish(temporary, path, overwrite=False)
    assert text_of(path) == "old"


def test_publish_keeps_the_old_folder_if_the_new_one_is_gone(tmp_path):
    path = make(tmp_path / "x", True, "old")
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "gone", path, overwrite=True)
    assert text_of(path) == "old"


def test_check_free(tmp_path):
    check_free(tmp_path / "x", overwrite=False)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        check_free(tmp_path / "missing" / "x", overwrite=True)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        check_free(tmp_path / "link", overwrite=False)


def test_remove(tmp_path):
    remove(make(tmp_path / "x", True, ""))
    remove(make(tmp_path / "y", False, ""))
    remove(tmp_path / "never")
    assert list(tmp_path.iterdir()) == []


def test_names_beside_a_target_are_hidden_and_new(tmp_path):
    names = {temporary_sibling(tmp_path / "x.npy") for _ in range(3)}
    assert len(names) == 3
    assert all(name.parent == tmp_path and name.name[0] == "." for name in names)
