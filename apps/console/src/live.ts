// SPDX-License-Identifier: Apache-2.0
// The live page: what one project's edge nodes do now.

import { Alarm, AlarmRule, ApiError, AuditEntry, Command, EdgeNode, EdgeService, Tag, TagValue } from "./api";
import { loadAlarms, renderAlarms, tellAlarm } from "./alarms";
import { addAudit, loadAudit, renderAudit } from "./audit";
import { element, list, node, options, row } from "./dom";
import { type Language, firstLanguage, moment, named, reasonText, speak, t } from "./language";
import { keep, kept } from "./memory";
import { chosenTag, complain, currentService, onSessionOver, problem, renderNotice, say, session, shown, site } from "./site";
import { firstTheme, onSystemTheme, wear } from "./theme";
import { addToTrend, chooseWindow, describe, loadTrend, renderTrend, showBands } from "./trend";
import { languageNames } from "./words/names";
import { commandChanged, renderWrite, showRange, showWritable, write } from "./write";

const retryMilliseconds = 2_000;
const describeMilliseconds = 5_000;
const reloadMilliseconds = 1_000;
const projectMemory = "ecp.project";
const serviceMemory = "ecp.service";
const valueRows = 200;

let stopEvents = new AbortController();
let connected: boolean | undefined;

const choice = (id: string) => element<HTMLSelectElement>(id);

function askLogIn(why?: () => string): void {
  stopEvents.abort();
  session.forget();
  say(why);
  for (const id of ["live", "place", "stream", "log-out"]) element(id).hidden = true;
  element("log-in").hidden = false;
}

async function start(): Promise<void> {
  element("log-in").hidden = true;
  say();
  const entries: [string, string][] = [];
  for (const org of await session.all<{ id: string; name: string }>("/api/v1/orgs")) {
    for (const project of await session.all<{ id: string; name: string }>(`/api/v1/orgs/${org.id}/projects`)) {
      entries.push([`/api/v1/orgs/${org.id}/projects/${project.id}`, `${org.name} / ${project.name}`]);
    }
  }
  options(choice("project"), entries, kept(projectMemory));
  for (const id of ["live", "place", "stream", "log-out"]) element(id).hidden = false;
  if (entries.length === 0) return say(() => t("project.none"));
  openProject();
}

function openProject(): void {
  stopEvents.abort();
  stopEvents = new AbortController();
  site.root = choice("project").value;
  keep(projectMemory, site.root);
  site.rules = [];
  element("stream").hidden = false;
  element("audit-card").hidden = true;
  void follow(site.root, stopEvents.signal);
}

/** Load everything, then keep up by events; after a broken stream, once more from the start. */
async function follow(where: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await session.events(`${where}/events`, signal, () => {
        showStream(true);
        load().catch(complain);
      }, onEvent);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError) complain(error);
      if (error instanceof ApiError && [403, 404].includes(error.status)) {
        element("stream").hidden = true;
        return; // Asking again changes nothing.
      }
    }
    if (signal.aborted) return;
    showStream(false);
    await new Promise((resolve) => setTimeout(resolve, retryMilliseconds));
  }
}

function showStream(is_open: boolean): void {
  connected = is_open;
  const badge = element("stream");
  badge.textContent = is_open ? t("stream.live") : t("stream.lost");
  badge.className = is_open ? "badge good" : "badge warn";
}

let isLoading = false;
let isStale = false;

/** A thousand edge nodes that come back at once are loaded once or twice, not a thousand times. */
async function loadSoon(): Promise<void> {
  isStale = true;
  if (isLoading) return;
  isLoading = true;
  while (isStale) {
    await new Promise((resolve) => setTimeout(resolve, reloadMilliseconds));
    isStale = false;
    await load().catch(complain);
  }
  isLoading = false;
}

async function load(): Promise<void> {
  const root = site.root;
  const [nodeList, serviceList] = await Promise.all([session.all<EdgeNode>(`${root}/edgenodes`), session.all<EdgeService>(`${root}/edgeservices`)]);
  if (root !== site.root) return; // Another project was chosen meanwhile.
  site.nodes = new Map(nodeList.map((each) => [each.id, each]));
  site.services = serviceList;
  options(choice("service"), serviceList.map((service) => [service.id, service.name]), kept(serviceMemory));
  showNodes();
  await Promise.all([loadService(), loadAlarms()]);
}

/** The data tags of the chosen edge service, by their paths. */
function tagsHere(): [string, Tag][] {
  return (currentService()?.config.drivers ?? []).flatMap((driver) =>
    driver.groups.flatMap((group) => group.tags.map((tag): [string, Tag] => [`${driver.name}/${group.name}/${tag.name}`, tag])));
}

async function loadService(): Promise<void> {
  const service = currentService();
  const tags = tagsHere();
  options(choice("tag"), tags.map(([path]) => [path, path]));
  showWritable(tags);
  site.values = new Map();
  if (service) {
    const page = await session.get<{ items: TagValue[] }>(`${site.root}/edgeservices/${service.id}/values`);
    for (const value of page.items) site.values.set(value.tag, value);
  }
  showValues();
  await loadTrend();
}

async function loadRules(): Promise<void> {
  site.rules = site.events.has("alarm_rule") ? await session.all<AlarmRule>(`${site.root}/alarmrules`) : [];
  showBands();
}

function showNodes(): void {
  list("nodes", [...site.nodes.values()].map((each) => {
    const mine = site.services.filter((service) => service.node === each.id).map((service) => t("nodes.service", { name: service.name, state: named("state", service.state) }));
    const made = row(each.name, named("state", each.state), each.state === "online" ? "good" : "bad", [...mine,
      each.version ? t("nodes.agent", { version: each.version }) : "",
      each.state !== "online" && each.last_seen ? t("nodes.seen", { time: moment(each.last_seen) }) : ""]);
    made.dataset["state"] = each.state;
    return made;
  }), t("nodes.none"));
}

function showValues(): void {
  element("values").replaceChildren(...[...site.values.values()].slice(0, valueRows).map((value) => {
    const made = document.createElement("tr");
    const bad = value.quality === "bad";
    made.append(node("td", value.tag), node("td", bad ? value.error ? reasonText(value.error, "") : t("values.bad") : shown(value.value), bad ? "number bad" : "number"), node("td", moment(value.time), "time"));
    return made;
  }));
  const hidden = site.values.size - valueRows;
  element("values-more").textContent = hidden > 0 ? t("values.more", { count: hidden }) : "";
  const value = site.values.get(chosenTag());
  element("current").textContent = value && value.quality !== "bad" ? shown(value.value) : "–";
}

function takeValues(service: string, items: TagValue[]): void {
  if (service !== currentService()?.id) return;
  for (const item of items) {
    const known = site.values.get(item.tag);
    if (!known || known.time <= item.time) site.values.set(item.tag, item);
    if (item.tag === chosenTag()) addToTrend(item);
  }
  showValues();
}

function onEvent(name: string, data: unknown): void {
  if (name === "value") {
    const { service, items } = data as { service: string; items: TagValue[] };
    takeValues(service, items);
  } else if (name === "stream") {
    site.events = new Set((data as { events: string[] }).events);
    Promise.all([loadRules(), loadAudit()]).catch(complain);
  } else if (name === "command") {
    commandChanged(data as Command);
  } else if (name === "alarm") {
    tellAlarm(data as Alarm);
    loadAlarms().catch(complain);
  } else if (name === "alarm_rule") {
    loadRules().catch(complain);
  } else if (name === "audit") {
    addAudit(data as AuditEntry);
  } else if (name === "node" || name === "service") {
    void loadSoon();
  }
}

/** Everything anew in the chosen language. */
function render(): void {
  options(choice("theme"), [["auto", t("theme.auto")], ["light", t("theme.light")], ["dark", t("theme.dark")]]);
  showWritable(tagsHere());
  showNodes();
  showValues();
  renderAlarms();
  renderAudit();
  renderWrite();
  renderNotice();
  if (connected !== undefined) showStream(connected);
  renderTrend();
}

function prepare(): void {
  options(choice("language"), languageNames);
  const language = firstLanguage();
  choice("language").value = language;
  speak(language, false);
  wear(firstTheme(), false);
  render();
  choice("theme").value = firstTheme();
  choice("language").addEventListener("change", () => { speak(choice("language").value as Language, true); render(); });
  choice("theme").addEventListener("change", () => { wear(choice("theme").value, true); renderTrend(); });
  onSystemTheme(renderTrend);
  onSessionOver(() => askLogIn(() => t("session.over")));
  element("log-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const password = element<HTMLInputElement>("password");
    session.logIn(element<HTMLInputElement>("email").value, password.value).then(start)
      .catch((error: unknown) => say(() => problem(error))).finally(() => { password.value = ""; });
  });
  element("log-out").addEventListener("click", () => { session.logOut().catch(() => undefined).finally(() => askLogIn()); });
  choice("project").addEventListener("change", openProject);
  choice("service").addEventListener("change", () => {
    keep(serviceMemory, choice("service").value);
    loadService().catch(complain);
  });
  choice("minutes").addEventListener("change", () => chooseWindow(choice("minutes").value));
  choice("tag").addEventListener("change", () => { showValues(); loadTrend().catch(complain); });
  element("chart-table").addEventListener("toggle", describe);
  choice("write-tag").addEventListener("change", showRange);
  element<HTMLFormElement>("write").addEventListener("submit", (event) => { void write(event); });
  setInterval(describe, describeMilliseconds);
}

prepare();
const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  history.replaceState(null, "", location.pathname); // One use; it shall not stay in the address bar.
  session.exchange(code).then(start).catch((error: unknown) => askLogIn(() => problem(error)));
} else if (session.open) {
  start().catch(complain);
} else {
  askLogIn();
}
