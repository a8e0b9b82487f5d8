# SPDX-License-Identifier: Apache-2.0
"""Calls that block let other threads run."""
import sys
import threading
import time

from conftest import PASSWORD

import ecp


def turns_while(call):
    """How often another thread came round while `call` ran, and how long it took."""
    turns, over = 0, threading.Event()

    def run():
        call()
        over.set()

    before = time.monotonic()
    thread = threading.Thread(target=run)
    thread.start()
    while not over.is_set():
        turns += 1
        time.sleep(0.001)
    thread.join()
    return turns, time.monotonic() - before


def test_another_thread_runs_while_a_password_is_hashed(works):
    sys.setswitchinterval(10)  # Nobody is made to let go of the lock: only a call that gives it up lets others run.
    try:
        turns, seconds = turns_while(lambda: works.plane.sessions.log_in("admin@example.com", PASSWORD))
    finally:
        sys.setswitchinterval(0.005)

    assert turns > 5, f"{turns} turns in {seconds} s"


def test_many_threads_use_one_plane(works):
    failed = []

    def rename(name):
        try:
            for number in range(20):
                made = works.admin.projects.create(works.organization.id, f"{name} {number}")
                assert works.admin.projects.list(works.organization.id, limit=200).total > 0
                works.admin.projects.remove(works.admin.within(made).scope, made.revision)
        except ecp.Error as problem:
            failed.append(problem)

    threads = [threading.Thread(target=rename, args=(f"thread {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []


def test_a_stop_waits_for_the_calls_that_are_inside(tmp_path):
    from conftest import Works
    works = Works(tmp_path)
    ended = []

    def log_in():
        try:
            works.plane.sessions.log_in("admin@example.com", PASSWORD)
            ended.append("done")
        except ecp.FailedPreconditionError as stopped:
            ended.append(stopped.reason)

    threads = [threading.Thread(target=log_in) for _ in range(3)]
    for thread in threads:
        thread.start()
    works.plane.stop()
    for thread in threads:
        thread.join()

    assert len(ended) == 3 and set(ended) <= {"done", "plane.stopped"}
