# SPDX-License-Identifier: Apache-2.0
"""The live page in headless Chromium: log in, watch, write, see an alarm. Makes the README's picture."""
import gzip
import os
import re
import ssl
import time
import urllib.request

import pytest
from browser import Browser
from platform_parts import Relay
from product import PASSWORD, ROOT, add_pipeline, make_edge, make_project, wait_for

PAGE_OCTETS = 60_000  # Of all that the page loads, compressed.
FURNACE = "plc/fast/temperature"
SET_POINT = "plc/fast/setpoint"
TAB = "\ue004"


@pytest.fixture(scope="module")
def plane(relayed_plane):
    return relayed_plane


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


def revision(record):
    return {"If-Match": f'"{record["revision"]}"'}


def fetch(plane, path):
    context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
    with urllib.request.urlopen(plane.url + path, context=context) as answer:
        return answer.headers, answer.read()


def log_in(browser, url, email, password):
    browser.open(url + "/")
    wait_for("the form", lambda: browser.text("#log-in-form"), 10)
    browser.type("#email", email)
    browser.type("#password", password)
    browser.click("#log-in-form button")


def write(browser, value):
    browser.choose("#write-tag", SET_POINT)
    browser.type("#write-value", value)
    browser.click("#write button")


def test_the_page_is_served_with_a_strict_policy(plane):
    headers, _ = fetch(plane, "/")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_is_small(plane):
    page = fetch(plane, "/")[1]
    files = re.findall(rb'(?:src|href)="(/[^"]+)"', page)
    assert len(files) == 2
    octets = sum(len(gzip.compress(text)) for text in [page, *(fetch(plane, path.decode())[1] for path in files)])
    assert octets <= PAGE_OCTETS, octets


def listen(browser):
    """Keep what the page tells of alarms, for `heard`."""
    browser.run(
        """const news = document.getElementById('alarm-news');
           window.news = [];
           new MutationObserver(() => window.news.push(news.textContent)).observe(news, {childList: true})"""
    )


def heard(browser):
    return browser.run("return window.news")


def test_a_wrong_password_says_so_and_shows_nothing(plane, page):
    browser = page["browser"]
    log_in(browser, plane.url, "ada@example.com", "not the right password")
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
    assert browser.text("#write-range") == "20 to 900"
    write(browser, "321.5")
    text = wait_for("the outcome", lambda: (lambda t: t if "321.5" in t else "")(browser.text("#write-result")), 10)
    assert "verified" in text
    write(browser, "5000")
    wait_for("the refusal", lambda: browser.run("return document.getElementById('write-result').className") == "bad", 10)


def test_an_alarm_shows_when_it_is_raised_and_when_it_clears(admin, page):
    browser, place = page["browser"], page["place"]
    rule = admin.post(
        place + "/alarmrules",
        {"name": "set-point high", "service": page["service"]["id"], "tag": SET_POINT, "operator": ">",
         "threshold": 500, "hysteresis": 10, "for_ms": 200, "severity": "critical"},
    )
    listen(browser)
    for value, word in (("600", "active"), ("300", "cleared")):
        write(browser, value)
        wait_for("the news", lambda w=word: f"Alarm set-point high: {w}" in heard(browser), 15)
        wait_for(word, lambda w=word: w in browser.text("#alarms"), 5)
    assert rule["name"] in browser.text("#alarms")


def test_an_alarm_raised_while_the_page_was_away_is_told_when_it_is_back(plane, admin, page):
    place, line, browser = page["place"], Relay(plane.https_port), Browser()

    def turn(value, state):
        admin.post(f"{place}/edgeservices/{page['service']['id']}/writes", {"tag": SET_POINT, "value": value})
        wait_for(state, lambda: admin.items(place + "/alarms")[0]["state"] == state, 15)

    try:
        log_in(browser, f"https://127.0.0.1:{line.port}", "ada@example.com", PASSWORD)
        wait_for("the stream", lambda: "live" in browser.text("#stream"), 15)
        wait_for("the alarm of before", lambda: "cleared" in browser.text("#alarms"), 10)
        listen(browser)
        line.cut()
        wait_for("the cut", lambda: "live" not in browser.text("#stream"), 10)
        turn(600, "active")
        assert heard(browser) == []
        line.heal()
        wait_for("the news", lambda: "Alarm set-point high: active" in heard(browser), 15)
        turn(300, "cleared")
    finally:
        browser.close()
        line.close()


def shaded(browser):
    """Where a column of the chart without any curve is shaded, in parts of its height from the top; None: nowhere."""
    alphas = browser.run(
        """const canvas = document.querySelector('#chart canvas');
           const column = canvas.getContext('2d').getImageData(Math.round(canvas.width * 0.2), 0, 1, canvas.height);
           return [...column.data].filter((_, at) => at % 4 === 3)"""
    )
    rows = [at for at, alpha in enumerate(alphas) if 0 < alpha < 100]  # Lines and figures are opaque.
    return (rows[0] / len(alphas), rows[-1] / len(alphas)) if len(rows) > 10 else None


def test_the_band_of_an_alarm_rule_is_shaded_and_follows_the_rule(admin, page):
    browser, rules = page["browser"], page["place"] + "/alarmrules"
    browser.choose("#tag", FURNACE)
    assert "Alarm" not in browser.text("#chart-summary")
    assert browser.run("return document.getElementById('legend-critical').hidden")
    assert shaded(browser) is None
    rule = admin.post(
        rules, {"name": "too hot", "service": None, "tag": FURNACE, "operator": ">", "threshold": 100,
                "hysteresis": 20, "severity": "critical"},
    )
    text = "Alarm “too hot” (critical) above 100. It clears at 80."
    wait_for("the band in words", lambda: text in browser.text("#chart-summary"), 5)
    assert not browser.run("return document.getElementById('legend-critical').hidden")
    assert not browser.run("return document.getElementById('legend-hysteresis').hidden")
    wait_for("the band at the top", lambda: (lambda at: at and at[0] < 0.2)(shaded(browser)), 5)
    path = f"{rules}/{rule['id']}"
    rule = admin.call("PATCH", path, {"operator": "<", "threshold": 30, "hysteresis": 0, "severity": "normal"}, revision(rule))
    wait_for("the change", lambda: "Alarm “too hot” (normal) below 30." in browser.text("#chart-summary"), 5)
    assert browser.run("return document.getElementById('legend-critical').hidden")
    assert "clears" not in browser.text("#chart-summary")
    wait_for("the band at the bottom", lambda: (lambda at: at and at[0] > 0.5)(shaded(browser)), 5)
    admin.call("DELETE", path, headers=revision(rule))
    wait_for("its end", lambda: "too hot" not in browser.text("#chart-summary") and not shaded(browser), 5)


def test_what_came_late_has_a_tone_and_words_of_its_own(page, relay):
    browser = page["browser"]
    assert browser.run("return document.getElementById('legend-late').hidden")
    relay.cut()
    time.sleep(15)  # Late is what is sent more than 10 s after it was read.
    relay.heal()
    late = lambda: re.search(r"(\d+) of them came late", browser.text("#chart-summary"))  # noqa: E731
    wait_for("late values", late, 60)
    assert not browser.run("return document.getElementById('legend-late').hidden")
    browser.click("#chart-table summary")
    rows = wait_for("the table", lambda: browser.run(
        "return [...document.querySelectorAll('#chart-rows tr')].map(row => [...row.cells].map(cell => cell.innerText))"), 10)
    assert sum(int(row[4]) for row in rows) > 0
    assert all(float(row[1]) <= float(row[3]) <= float(row[2]) for row in rows), rows
    browser.click("#chart-table summary")


def test_the_audit_ticker_tells_who_did_what(admin, page):
    browser, place = page["browser"], page["place"]
    write(browser, "222")
    wait_for("the write", lambda: "Ada wrote 222 to plc/fast/setpoint of furnace" in browser.text("#audit"), 10)
    wait_for("the agent's answer", lambda: "Agent gateway-1 reports the command write: done" in browser.text("#audit"), 10)
    token = admin.post(place + "/enrollment-tokens", {"name": "spare"})
    admin.call("DELETE", f"{place}/enrollment-tokens/{token['id']}")
    wait_for("the token's end", lambda: "Ada removed the enrollment token spare" in browser.text("#audit"), 10)
    entries = browser.run("return [...document.querySelectorAll('#audit li')].map(row => row.innerText)")
    assert 2 < len(entries) <= 10
    assert entries[0].startswith("Ada removed") and entries[1].startswith("Ada created")
    known = admin.get(place + "/audit?limit=1")["items"][0]
    assert known["principal_name"] == "Ada"


def test_a_member_sees_what_happens_but_not_the_audit_log(plane, admin, page):
    place = page["place"]
    organization = "/".join(place.split("/")[:5])
    bo = admin.post("/api/v1/users", {"email": "bo@example.com", "name": "Bo", "password": PASSWORD})["id"]
    for where in (organization, place):
        admin.post(where + "/members", {"user": bo, "role": "member"})
    browser = Browser()
    try:
        log_in(browser, plane.url, "bo@example.com", PASSWORD)
        wait_for("the node", lambda: "online" in browser.text("#nodes"), 15)
        first = wait_for("a value", lambda: browser.text("#current").strip("–"), 10)
        wait_for("another value", lambda: browser.text("#current") not in ("–", first), 10)
        assert browser.run("return document.getElementById('audit-card').hidden")
        assert browser.text("#notice") == "" and not browser.complaints()
        browser.run("document.getElementById('audit-card').hidden = false")
        assert browser.text("#audit li") == "Nothing has been recorded yet."
    finally:
        browser.close()
    denied = [entry for entry in admin.items(place + "/audit") if entry["outcome"] == "denied"]
    assert not [entry for entry in denied if entry["principal"] == bo], "it asked for what it may not see"


def test_the_language_is_chosen_and_remembered(plane, page):
    browser = page["browser"]
    browser.choose("#language", "zh")
    assert browser.run("return document.documentElement.lang") == "zh-CN"
    assert browser.text("#nodes-title") == "边缘节点" and "在线" in browser.text("#nodes")
    assert "Ada 删除了注册令牌 spare" in browser.text("#audit")
    write(browser, "5000")
    wait_for("the refusal", lambda: browser.text("#write-result").endswith("写入值超出允许范围"), 10)
    browser.open(plane.url + "/")
    wait_for("the node", lambda: "在线" in browser.text("#nodes"), 15)
    latin = browser.run("return document.querySelector('main').innerText")
    assert not re.search(r"\b(Edge|Alarm|Log|values?|live|online|reports)\b", latin), latin
    browser.choose("#language", "en")
    assert browser.run("return document.documentElement.lang") == "en"


def test_the_browsers_language_decides_at_first(plane):
    browser = Browser(language="zh-CN,zh")
    try:
        log_in(browser, plane.url, "ada@example.com", "not the right password")
        assert browser.text("#log-in-title") == "登录"
        wait_for("the notice", lambda: browser.text("#notice") == "邮箱或密码错误", 10)
    finally:
        browser.close()


def test_light_and_dark_follow_the_system_until_one_is_chosen(plane, page):
    browser = page["browser"]
    ground = lambda: browser.run("return getComputedStyle(document.documentElement).backgroundColor")  # noqa: E731
    browser.prefer(color_scheme="light")
    light = ground()
    browser.prefer(color_scheme="dark")
    dark = ground()
    assert light != dark
    browser.choose("#theme", "light")
    assert ground() == light
    browser.open(plane.url + "/")
    wait_for("the node", lambda: "online" in browser.text("#nodes"), 15)
    assert ground() == light
    browser.choose("#theme", "auto")
    assert ground() == dark
    browser.prefer(color_scheme="light")


def test_who_wants_less_motion_gets_none(admin, page):
    browser = page["browser"]
    moves = "return getComputedStyle(document.querySelector('#audit li.fresh')).animationName"
    admin.post(page["place"] + "/enrollment-tokens", {"name": "moving"})
    wait_for("the entry", lambda: "moving" in browser.text("#audit"), 10)
    assert browser.run(moves) == "fresh"
    browser.prefer(reduced_motion="reduce")
    assert browser.run(moves) == "none"
    browser.prefer()


def test_everything_is_reached_by_the_keyboard_and_shows_its_focus(page):
    browser = page["browser"]
    wanted = browser.run(
        "return [...document.querySelectorAll('select, input, button, summary')].filter(at => at.checkVisibility())"
        ".map(at => at.id || at.textContent)"
    )
    browser.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = []
    for _ in wanted:
        browser.press(TAB)
        at, outline = browser.run(
            "const at = document.activeElement; const style = getComputedStyle(at);"
            "return [at.id || at.textContent, style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth)]"
        )
        assert outline >= 2, at
        reached.append(at)
    assert reached == wanted


def check_access(browser, view):
    """[axe] Nothing serious or critical in any theme and language; the rest is printed."""
    for language in ("en", "zh"):
        for theme in ("light", "dark"):
            browser.choose("#language", language)
            browser.choose("#theme", theme)
            found = browser.findings()
            for finding in found:
                print(view, language, theme, *finding)
            assert not [f for f in found if f[0] in ("serious", "critical")], (view, language, theme)
    browser.choose("#language", "en")
    browser.choose("#theme", "auto")


def test_axe_finds_nothing_serious_in_the_live_view(admin, page):
    browser = page["browser"]
    admin.post(page["place"] + "/alarmrules", {"name": "too hot", "tag": FURNACE, "operator": ">", "threshold": 400,
                                               "hysteresis": 20, "severity": "critical"})
    admin.post(page["place"] + "/alarmrules", {"name": "cold", "tag": FURNACE, "operator": "<", "threshold": 900})
    wait_for("an active alarm", lambda: "active" in browser.text("#alarms"), 15)
    browser.choose("#tag", FURNACE)
    browser.click("#chart-table summary")
    check_access(browser, "live")
    browser.click("#chart-table summary")
    browser.resize(390, 844)
    check_access(browser, "live, narrow")
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "it must not scroll sideways"
    browser.resize(1280, 800)


def test_axe_finds_nothing_serious_in_the_log_in(plane):
    browser = Browser()
    try:
        browser.open(plane.url + "/")
        wait_for("the form", lambda: browser.text("#log-in-form"), 10)
        check_access(browser, "log-in")
        browser.run("document.querySelector('main').append(document.createElement('img'))")
        assert [f[:2] for f in browser.findings() if f[0] == "critical"] == [("critical", "image-alt")]  # It does look.
    finally:
        browser.close()


def test_the_picture_for_the_readme(admin, page):
    browser = page["browser"]
    long = bool(os.environ.get("ECP_UPDATE_PICTURE"))
    rules = page["place"] + "/alarmrules"
    for rule in admin.items(rules):
        if rule["name"] == "cold":
            admin.call("DELETE", f"{rules}/{rule['id']}", headers=revision(rule))
    browser.choose("#minutes", "5")
    browser.run("window.scrollTo(0, 0)")
    for value in ("350", "550", "250", "330", "180", "360", "420", "300") if long else ("550", "300"):
        write(browser, value)
        time.sleep(30 if long else 8)  # Let the furnace move, so that the picture shows a curve.
    browser.run("document.activeElement.blur()")
    assert "live" in browser.text("#stream")
    for name, language, theme, width in (
        ("live-page", "en", "light", 1280), ("live-page-dark-zh", "zh", "dark", 1280), ("live-page-narrow", "en", "light", 390),
    ):
        browser.choose("#language", language)
        browser.choose("#theme", theme)
        browser.resize(width, 900)
        time.sleep(1)
        path = ROOT / "build" / "results" / f"{name}.png"
        browser.picture(path)
        assert path.stat().st_size > 20_000
        if long and width == 1280:
            browser.picture(ROOT / "docs" / "images" / f"{name}.png")
    severe = [text for text in browser.complaints() if "401" not in text and "422" not in text and "400" not in text]
    assert not severe, severe


def test_no_active_alarm_falls_off_the_list(admin, page):
    browser, rules = page["browser"], page["place"] + "/alarmrules"
    names = [f"above zero {number}" for number in range(8)]
    made = [
        admin.post(rules, {"name": name, "service": page["service"]["id"], "tag": FURNACE, "operator": ">", "threshold": 0})
        for name in names
    ]
    wait_for("all of them", lambda: all(name in browser.text("#alarms") for name in names), 20)
    assert browser.text("#alarms-more") == ""
    for rule in made:
        admin.call("DELETE", f"{rules}/{rule['id']}", None, revision(rule))


def test_the_project_is_remembered(plane, admin, page):
    browser, organization = page["browser"], page["place"].split("/")[4]
    admin.post(f"/api/v1/orgs/{organization}/projects", {"name": "A hall before all others"})
    browser.open(plane.url + "/")
    wait_for("the same project", lambda: "gateway-1" in browser.text("#nodes"), 15)
    assert browser.run("return document.querySelectorAll('#project option').length") == 2
