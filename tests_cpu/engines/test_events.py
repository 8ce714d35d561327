from gpuscale.engines import events
from gpuscale.engines.events import (
    EventDesk,
    Progressed,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskStarted,
)
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.task import Task

ONE_TASK = {"x": Task("x", lambda: 3, nbytes=8, label="three")}


class Listener:
    def __init__(self, *wants):
        self.wants = wants
        self.events = []

    def __call__(self, event):
        self.events.append(event)


def test_a_listener_sees_what_it_wants_only():
    few, many = Listener(RunStarted), Listener(RunStarted, TaskStarted)
    everything = []
    desk = EventDesk([few, many, everything.append])
    started = TaskStarted("x", "three", 0, 1.0)
    begun = RunStarted(1, 8, 1, 100, 0.0)
    desk.post(begun)
    desk.post(started)
    assert everything == []
    desk.deliver()
    assert few.events == [begun]
    assert many.events == everything == [begun, started]


def test_events_of_tasks_are_made_if_wanted():
    assert EventDesk([print]).wants_tasks
    assert EventDesk([Listener(TaskFinished)]).wants_tasks
    assert not EventDesk([Listener(Progressed, RunStarted)]).wants_tasks
    assert EventDesk([Listener(Progressed)]).wants_progress
    assert not EventDesk([])


def test_a_run_tells_its_story_in_order(monkeypatch):
    monkeypatch.setattr(events, "PERIOD", 0.0)
    told = []
    SyncEngine().run(ONE_TASK, ["x"], listeners=[told.append])
    kinds = [type(event) for event in told]
    assert kinds == [RunStarted, TaskStarted, TaskFinished, Progressed, RunFinished]
    assert told[0].n_tasks == told[3].n_finished == told[3].n_tasks == told[4].n_finished == 1
    assert told[0].nbytes == told[2].nbytes == told[3].nbytes == told[3].alive == 8
    assert (told[1].key, told[1].label) == (told[2].key, told[2].label) == ("x", "three")
    times = [told[0].time, told[1].time, told[2].stop, told[3].time, told[4].time]
    assert times == sorted(times)


def test_progress_is_not_told_at_every_task():
    listener = Listener(Progressed)
    graph = {i: Task(i, int) for i in range(200)}
    SyncEngine().run(graph, list(graph), listeners=[listener])
    assert len(listener.events) < 100


def test_a_run_names_its_tasks_and_hands_out_results_if_someone_asks():
    graph = {"x": Task("x", int), "y": Task("y", abs, ("x",))}
    quiet, curious = Listener(RunStarted, TaskFinished), Listener(TaskFinished)
    curious.wants_results = True
    SyncEngine().run(graph, ["y"], listeners=[quiet])
    started, *finished = quiet.events
    assert [task.key for task in started.tasks] == ["x", "y"]
    assert started.keys == ["y"]
    assert [event.result for event in finished] == [None, None]
    SyncEngine().run(graph, ["y"], listeners=[curious])
    assert [event.result for event in curious.events] == [0, 0]
