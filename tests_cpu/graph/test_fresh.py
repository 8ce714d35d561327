from gpuscale.graph.fresh import with_new_keys
from gpuscale.graph.task import Task, validate


def test_all_but_the_spared_have_new_keys_and_the_old_graph_is_as_it_was():
    tasks = [
        Task(("x-1", 0, 2), int, nbytes=3, label="x"),
        Task("whole-x", abs, (("x-1", 0, 2), ("x-1", 0, 2))),
        Task("mine", max, ("whole-x",), (7,)),
        Task("last", abs, ("mine",)),
    ]
    graph = {task.key: task for task in tasks}
    new, keys = with_new_keys(graph, {"mine"})
    validate(new, keys.values())
    assert keys.keys() == graph.keys() and list(keys.values()) == list(new)
    assert {*keys.values()} & {*graph} == {"mine"}
    assert keys["x-1", 0, 2][1:] == (0, 2)
    assert (new["mine"].deps, new["mine"].args) == ((keys["whole-x"],), (7,))
    assert new[keys["whole-x"]].deps == (keys["x-1", 0, 2],) * 2
    assert (new[keys["x-1", 0, 2]].nbytes, new[keys["x-1", 0, 2]].label) == (3, "x")
    assert graph["mine"].deps == ("whole-x",)
    assert with_new_keys(graph, {"mine"})[1]["last"] != keys["last"]
