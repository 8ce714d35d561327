import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.diagnostics.colouring import COLOURINGS, colour_tasks
from gpuscale.diagnostics.drawing import draw_graph
from gpuscale.graph.task import Task
from gpuscale.memory.projection import peak_bytes
from gpuscale.testing import nothing_computes


def expression():
    x = ga.map_blocks(np.sort, ga.ones((40, 40), chunks=20), dtype=float)
    return (x - x.mean(axis=0)).std(axis=0)


def graph():
    tasks = [Task(("x", k), int, nbytes=10 * k + 5, workspace=k) for k in range(4)]
    tasks += [Task(("y", k), max, (("x", k), ("x", k + 1)), nbytes=3) for k in range(3)]
    tasks.append(Task("end", max, tuple(("y", k) for k in range(3)), nbytes=1))
    return {task.key: task for task in tasks}


@pytest.mark.parametrize("by", COLOURINGS)
def test_every_task_has_a_colour_and_a_note(by):
    tasks = graph()
    found = colour_tasks(tasks, ["end"], by)
    assert found.fills.keys() == found.notes.keys() == tasks.keys()
    assert all(re.fullmatch("#[0-9a-f]{6}", fill) for fill in found.fills.values())
    assert {fill for fill, _ in found.legend} & set(found.fills.values())


def test_memory_is_that_of_the_projection():
    tasks = graph()
    notes = colour_tasks(tasks, ["end"], "memory").notes
    places = colour_tasks(tasks, ["end"], "order").notes
    sequence = sorted(tasks, key=lambda key: int(re.match(r"\d+", places[key])[0]))
    used = [int(note.split()[0]) for note in notes.values()]
    assert max(used) == peak_bytes(tasks, sequence, ["end"])


@pytest.mark.parametrize("by", COLOURINGS)
def test_pictures_show_colours_and_what_they_mean(by, tmp_path):
    picture = gpuscale.visualize(expression(), color=by, filename=tmp_path / "plan.svg")
    root = ET.fromstring((tmp_path / "plan.svg").read_text())
    groups = [each for each in root.iter() if each.get("class") == "legend"]
    assert len(groups) == 1
    assert picture.svg.count('class="box"') == len(gpuscale.run.graph_of(expression()))
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        bottom = float(rect.get("y")) + float(rect.get("height"))
        assert bottom <= float(root.get("height"))


def test_only_the_colours_of_workers_run_something():
    with nothing_computes():
        expression().visualize(color="order")
        expression().visualize(color="memory")
    assert "worker 0" in expression().visualize(color="worker").svg


def test_an_empty_graph():
    assert "<svg" in draw_graph({}, [], "memory").svg


def test_colours_that_do_not_exist():
    with pytest.raises(ValueError, match="no colours by 'age'; there are 'order', 'memory'"):
        expression().visualize(color="age")
    with pytest.raises(ValueError, match="is for tasks"):
        expression().visualize(kind="expression", color="order")
