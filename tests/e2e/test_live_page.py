# SPDX-License-Identifier: Apache-2.0
"""The live page in headless Chromium: log in, watch, write, see an alarm. Makes the README's picture."""
import os
import re
import time

import pytest
from browser import Browser
from product import PASSWORD, ROOT, add_pipeline, make_edge, make_project, wait_for


@pytest.fixture(scope="module")
def page(plane, admin, plant, folder):
    _, place = make_project(admin, "Northern Steel", "Plant 7")
    edge = make_edge(plane, admin, place, folder, "gateway-1")
    service = add_pipeline(admin, place, edge.node, plant.port)
    browser = Browser()
    yield {"browser": browser, "place": place, "service": service, "edge": edge}
    browser.close()
    edge.stop()


def login_link(plane):
    answer = plane.command("user", "login-link", "ada@example.com")
    assert answer.returncode == 0, answer.stderr
    return re.search(r"https://\S+#code=\S+", answer.stdout)[0]


def test_the_page_is_served_with_a_strict_policy(plane):
    import ssl
    import urllib.request

    context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
    with urllib.request.urlopen(plane.url + "/", context=context) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_wrong_password_says_so_and_shows_nothing(plane, page):
    browser = page["browser"]
    browser.open(plane.url + "/")
    wait_for("the form", lambda: browser.text("#log-in-form"), 10)
    browser.type("#email", "ada@example.com")
    browser.type("#password", "not the right password")
    browser.click("#log-in-form button")
    wait_for("the notice", lambda: browser.text("#notice"), 10)
    assert browser.run("return document.getElementById('live').hidden")
    browser.complaints()  # The 401 itself is a console message; later ones are not expected.


def test_a_login_link_opens_the_live_page_once(plane, page):
    browser, link = page["browser"], login_link(plane)
    browser.open("about:blank")
    browser.open(link)
    wait_for("the node", lambda: "gateway-1" in browser.text("#nodes"), 15)
    assert "online" in browser.text("#nodes")
    assert "#code" not in browser.run("return location.href")
    second = Browser()
    try:
        second.open(link)
        wait_for("the refusal", lambda: second.text("#notice"), 10)
        assert second.run("return document.getElementById('live').hidden")
    finally:
        second.close()


def test_values_move_by_events(page):
    browser = page["browser"]
    first = wait_for("a value", lambda: browser.text("#current").strip("–"), 10)
    wait_for("another value", lambda: browser.text("#current") not in ("–", first), 10)
    assert browser.run("return document.querySelectorAll('#values tr').length") == 3
    assert browser.run("return document.querySelector('#chart canvas') !== null")
    assert "live" in browser.text("#stream")


def test_the_page_stays_open_when_rights_change(plane, admin, page):
    """[R07] Its session goes on under a new id; nobody has to log in again."""
    browser, organization = page["browser"], page["place"].split("/")[4]
    user = admin.get("/api/v1/session")["user"]["id"]
    token = browser.run("return sessionStorage.getItem('ecp.access-token')")
    admin.post(f"/api/v1/orgs/{organization}/members", {"user": user, "role": "member"})
    admin.token = plane.log_in("ada@example.com").token
    wait_for("a new token", lambda: browser.run("return sessionStorage.getItem('ecp.access-token')") != token, 15)
    wait_for("the stream", lambda: "live" in browser.text("#stream"), 10)
    first = browser.text("#current")
    wait_for("another value", lambda: browser.text("#current") not in ("–", first), 10)
    assert not browser.run("return document.getElementById('live').hidden")


def test_a_setpoint_is_written_and_verified(page):
    browser = page["browser"]
    browser.type("#write-value", "321.5")
    browser.click("#write button")
    text = wait_for("the outcome", lambda: (lambda t: t if "321.5" in t else "")(browser.text("#write-result")), 10)
    assert "verified" in text
    browser.type("#write-value", "5000")
    browser.click("#write button")
    wait_for("the refusal", lambda: browser.run("return document.getElementById('write-result').className") == "bad", 10)


def test_an_alarm_shows_when_it_is_raised_and_when_it_clears(admin, page):
    browser, place = page["browser"], page["place"]
    rule = admin.post(
        place + "/alarmrules",
        {"name": "set-point high", "service": page["service"]["id"], "tag": "plc/fast/setpoint", "operator": ">",
         "threshold": 500, "hysteresis": 10, "for_ms": 200, "severity": "critical"},
    )
    for value, word in (("600", "active"), ("300", "cleared")):
        browser.type("#write-value", value)
        browser.click("#write button")
        wait_for(word, lambda w=word: w in browser.text("#alarms"), 15)
    assert rule["name"] in browser.text("#alarms")


def test_the_picture_for_the_readme(admin, page):
    browser = page["browser"]
    for value in ("700", "250", "400", "200"):
        browser.type("#write-value", value)
        browser.click("#write button")
        time.sleep(8)  # Let the furnace move, so that the picture shows a curve.
    assert "live" in browser.text("#stream")
    path = ROOT / "build" / "results" / "live-page.png"
    browser.picture(path)
    assert path.stat().st_size > 20_000
    if os.environ.get("ECP_UPDATE_PICTURE"):
        browser.picture(ROOT / "docs" / "images" / "live-page.png")
    severe = [text for text in browser.complaints() if "401" not in text and "422" not in text and "400" not in text]
    assert not severe, severe
