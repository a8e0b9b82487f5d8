// SPDX-License-Identifier: Apache-2.0
// The live page: what one project's edge nodes do now.

import { Alarm, ApiError, Command, EdgeNode, EdgeService, Point, Scalar, Session, Tag, TagValue } from "./api";
import { TagChart } from "./chart";

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const session = new Session();
const chartMinutes = 15;
const chartPoints = 900;
const retryMilliseconds = 2_000;
const alarmRows = 8;

let root = ""; // "/api/v1/orgs/{org}/projects/{project}"
let nodes = new Map<string, EdgeNode>();
let services: EdgeService[] = [];
let values = new Map<string, TagValue>();
let chart: TagChart | undefined;
let stopEvents = new AbortController();
const waiting = new Map<string, (command: Command) => void>();

const current = () => services.find((service) => service.id === element<HTMLSelectElement>("service").value);
const chosenTag = () => element<HTMLSelectElement>("tag").value;
const clock = (time: string) => new Date(time).toLocaleTimeString();

function text(tag: string, content: string, className = ""): HTMLElement {
  const node = document.createElement(tag);
  node.textContent = content;
  if (className) node.className = className;
  return node;
}
function options(select: HTMLSelectElement, entries: [string, string][]): void {
  const before = select.value;
  select.replaceChildren(...entries.map(([value, label]) => new Option(label, value)));
  if (entries.some(([value]) => value === before)) select.value = before;
}
function show(value: Scalar): string {
  return typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value ?? "–");
}
function complain(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) return askLogIn("The session has ended; log in again.");
  const notice = element("notice");
  notice.textContent = error instanceof Error ? error.message : String(error);
  notice.hidden = false;
}

function askLogIn(why = ""): void {
  stopEvents.abort();
  session.forget();
  element("notice").textContent = why;
  element("notice").hidden = why === "";
  for (const id of ["live", "place", "stream", "log-out"]) element(id).hidden = true;
  element("log-in").hidden = false;
}

async function start(): Promise<void> {
  element("log-in").hidden = true;
  element("notice").hidden = true;
  const entries: [string, string][] = [];
  for (const org of await session.all<{ id: string; name: string }>("/api/v1/orgs")) {
    for (const project of await session.all<{ id: string; name: string }>(`/api/v1/orgs/${org.id}/projects`)) {
      entries.push([`/api/v1/orgs/${org.id}/projects/${project.id}`, `${org.name} / ${project.name}`]);
    }
  }
  options(element<HTMLSelectElement>("project"), entries);
  for (const id of ["live", "place", "stream", "log-out"]) element(id).hidden = false;
  if (entries.length === 0) return complain(new Error("There is no project yet that you may see."));
  await openProject();
}

async function openProject(): Promise<void> {
  stopEvents.abort();
  stopEvents = new AbortController();
  root = element<HTMLSelectElement>("project").value;
  void follow(root, stopEvents.signal);
}

/** Load everything, then keep up by events; after a broken stream, once more from the start. */
async function follow(where: string, signal: AbortSignal): Promise<void> {
  const badge = element("stream");
  while (!signal.aborted) {
    try {
      await session.events(`${where}/events`, signal, () => {
        badge.textContent = "● live";
        badge.className = "badge good";
        load().catch(complain);
      }, onEvent);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError) complain(error);
    }
    if (signal.aborted) return;
    badge.textContent = "○ connecting again";
    badge.className = "badge warn";
    await new Promise((resolve) => setTimeout(resolve, retryMilliseconds));
  }
}

async function load(): Promise<void> {
  const [nodeList, serviceList] = await Promise.all([session.all<EdgeNode>(`${root}/edgenodes`), session.all<EdgeService>(`${root}/edgeservices`)]);
  nodes = new Map(nodeList.map((node) => [node.id, node]));
  services = serviceList;
  options(element<HTMLSelectElement>("service"), services.map((service) => [service.id, service.name]));
  showNodes();
  await Promise.all([loadService(), loadAlarms()]);
}

async function loadService(): Promise<void> {
  const service = current();
  const tags: [string, Tag][] = (service?.config.drivers ?? []).flatMap((driver) =>
    driver.groups.flatMap((group) => group.tags.map((tag): [string, Tag] => [`${driver.name}/${group.name}/${tag.name}`, tag])));
  options(element<HTMLSelectElement>("tag"), tags.map(([path]) => [path, path]));
  options(element<HTMLSelectElement>("write-tag"), tags.filter(([, tag]) => tag.writable)
    .map(([path, tag]) => [path, tag.min === undefined ? path : `${path} (${tag.min} to ${tag.max})`]));
  values = new Map();
  if (service) {
    const page = await session.get<{ items: TagValue[] }>(`${root}/edgeservices/${service.id}/values`);
    for (const value of page.items) values.set(value.tag, value);
  }
  showValues();
  await loadChart();
}

async function loadChart(): Promise<void> {
  const service = current();
  chart ??= new TagChart(element("chart"));
  if (!service || !chosenTag()) return chart.show([], []);
  const to = Date.now(), from = to - chartMinutes * 60_000;
  const query = new URLSearchParams({ tag: chosenTag(), from: new Date(from).toISOString(), to: new Date(to).toISOString(), points: String(chartPoints) });
  const { points } = await session.get<{ points: Point[] }>(`${root}/edgeservices/${service.id}/history?${query}`);
  const shown = points.filter((point, at) => point.count > 0 || (points[at - 1]?.count ?? 0) > 0);
  chart.show(shown.map((point) => Date.parse(point.from) / 1000), shown.map((point) => (point.count > 0 ? point.mean : null)));
}

async function loadAlarms(): Promise<void> {
  const get = (state: string) => session.get<{ items: Alarm[] }>(`${root}/alarms?state=${state}&limit=${alarmRows}`);
  const [active, cleared] = await Promise.all([get("active"), get("cleared")]);
  const rows = [...active.items, ...cleared.items].slice(0, alarmRows).map((alarm) => {
    const row = document.createElement("li");
    row.dataset["state"] = alarm.state;
    row.append(text("span", alarm.name), text("strong", alarm.state, alarm.state === "active" ? "bad" : "good"),
      text("small", `${alarm.severity}, raised ${clock(alarm.raised_at)}${alarm.cleared_at ? `, cleared ${clock(alarm.cleared_at)}` : ""}${alarm.message ? ` · ${alarm.message}` : ""}`));
    return row;
  });
  element("alarms").replaceChildren(...(rows.length ? rows : [text("li", "None so far.")]));
}

function showNodes(): void {
  const rows = [...nodes.values()].map((node) => {
    const row = document.createElement("li");
    row.dataset["state"] = node.state;
    const mine = services.filter((service) => service.node === node.id).map((service) => `${service.name}: ${service.state}`).join(", ");
    row.append(text("span", node.name), text("strong", node.state, node.state === "online" ? "good" : "bad"),
      text("small", [mine, node.version && `agent ${node.version}`, node.state !== "online" && node.last_seen && `last seen ${clock(node.last_seen)}`].filter(Boolean).join(" · ")));
    return row;
  });
  element("nodes").replaceChildren(...(rows.length ? rows : [text("li", "No edge node has enrolled yet.")]));
}

function showValues(): void {
  element("values").replaceChildren(...[...values.values()].map((value) => {
    const row = document.createElement("tr");
    const bad = value.quality === "bad";
    row.append(text("td", value.tag), text("td", bad ? (value.error ?? "bad") : show(value.value), bad ? "number bad" : "number"), text("td", clock(value.time)));
    return row;
  }));
  const value = values.get(chosenTag());
  element("current").textContent = value && value.quality !== "bad" ? show(value.value) : "–";
}

function onEvent(name: string, data: unknown): void {
  if (name === "value") {
    const { service, items } = data as { service: string; items: TagValue[] };
    if (service !== current()?.id) return;
    for (const item of items) {
      const known = values.get(item.tag);
      if (!known || known.time <= item.time) values.set(item.tag, item);
      if (item.tag === chosenTag()) chart?.add(Date.parse(item.time) / 1000, item.quality === "bad" || typeof item.value !== "number" ? null : item.value);
    }
    showValues();
  } else if (name === "command") {
    const command = data as Command;
    waiting.get(command.id)?.(command);
  } else if (name === "alarm") {
    loadAlarms().catch(complain);
  } else if (name === "node" || name === "service") {
    load().catch(complain);
  }
}

async function write(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const service = current();
  const result = element("write-result");
  const entered = element<HTMLInputElement>("write-value").value.trim();
  const value: Scalar = entered === "true" ? true : entered === "false" ? false : entered !== "" && Number.isFinite(Number(entered)) ? Number(entered) : entered;
  if (!service) return;
  result.className = "";
  result.textContent = "writing …";
  const begun = performance.now();
  try {
    const command = await session.post<Command>(`${root}/edgeservices/${service.id}/writes`, { tag: element<HTMLSelectElement>("write-tag").value, value });
    const ended = await outcome(command);
    const took = Math.round(performance.now() - begun);
    result.className = ended.state === "done" ? "good" : "bad";
    result.textContent = ended.state === "done" ? `written and verified: device reads ${show(ended.value ?? null)} (${took} ms)` : `${ended.state}: ${ended.reason ?? "no reason given"}`;
  } catch (error) {
    result.className = "bad";
    result.textContent = error instanceof Error ? error.message : String(error);
  }
}

/** The command's end, by event or, should that have been missed, by asking. */
async function outcome(command: Command): Promise<Command> {
  if (command.state !== "pending") return command;
  return new Promise((resolve) => {
    const finish = (ended: Command) => {
      if (ended.state === "pending") return;
      waiting.delete(command.id);
      clearInterval(poll);
      resolve(ended);
    };
    const poll = setInterval(() => {
      session.get<Command>(`${root}/commands/${command.id}`).then(finish).catch(complain);
    }, 500);
    waiting.set(command.id, finish);
  });
}

element("log-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const password = element<HTMLInputElement>("password");
  session.logIn(element<HTMLInputElement>("email").value, password.value).then(start).catch((error: unknown) => {
    const notice = element("notice");
    notice.textContent = error instanceof Error ? error.message : String(error);
    notice.hidden = false;
  }).finally(() => { password.value = ""; });
});
element("log-out").addEventListener("click", () => { session.logOut().catch(() => undefined).finally(() => askLogIn()); });
element("project").addEventListener("change", () => { openProject().catch(complain); });
element("service").addEventListener("change", () => { loadService().catch(complain); });
element("tag").addEventListener("change", () => { showValues(); loadChart().catch(complain); });
element<HTMLFormElement>("write").addEventListener("submit", (event) => { void write(event); });

const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  history.replaceState(null, "", location.pathname); // One use; it shall not stay in the address bar.
  session.exchange(code).then(start).catch((error: unknown) => askLogIn(error instanceof Error ? error.message : String(error)));
} else if (session.open) {
  start().catch(complain);
} else {
  askLogIn();
}
