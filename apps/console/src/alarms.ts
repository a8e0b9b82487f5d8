// SPDX-License-Identifier: Apache-2.0
// The project's newest alarms, and the news of one for who does not see the list.

import { Alarm } from "./api";
import { element, list, row } from "./dom";
import { figure, found, moment, named, t } from "./language";
import { session, site } from "./site";

const rows = 6; // Fewer active ones are followed by cleared ones.
const activeRows = 50;
let alarms: Alarm[] = [];
let hidden = 0; // Active ones beyond those.
let root = ""; // The project's whose alarms these are.
let told = new Map<string, string>(); // States, by the alarm's id.

export async function loadAlarms(): Promise<void> {
  const of = site.root;
  const get = (state: string, limit: number) => session.get<{ items: Alarm[]; total: number }>(`${of}/alarms?state=${state}&limit=${limit}`);
  const [active, cleared] = await Promise.all([get("active", activeRows), get("cleared", rows)]);
  if (of !== site.root) return; // Another project was chosen meanwhile.
  const isFirst = root !== of;
  const since = alarms.reduce((newest, alarm) => changed(alarm) > newest ? changed(alarm) : newest, "");
  alarms = [...active.items, ...cleared.items].slice(0, Math.max(rows, active.items.length));
  hidden = active.total - active.items.length;
  root = of;
  renderAlarms();
  if (isFirst) told = new Map(alarms.map((alarm) => [alarm.id, alarm.state]));
  // What happened while no event could come.
  alarms.filter((alarm) => changed(alarm) > since).reverse().forEach(tellAlarm);
}

const changed = (alarm: Alarm): string => alarm.cleared_at ?? alarm.raised_at;

export function renderAlarms(): void {
  list("alarms", alarms.map((alarm) => {
    const times = [t("alarms.raised", { time: moment(alarm.raised_at) }), alarm.cleared_at ? t("alarms.cleared", { time: moment(alarm.cleared_at) }) : ""];
    const tone = alarm.state === "active" ? (alarm.severity === "critical" ? "bad" : "warn") : "good";
    const made = row(nameOf(alarm), named("state", alarm.state), tone, [messageOf(alarm), named("severity", alarm.severity), ...times]);
    made.dataset["state"] = alarm.state;
    return made;
  }), t("alarms.none"));
  element("alarms-more").textContent = hidden > 0 ? t("alarms.more", { count: hidden }) : "";
}

/** Politely, to screen readers, and once. */
export function tellAlarm(alarm: Alarm): void {
  if (told.get(alarm.id) === alarm.state) return;
  told.set(alarm.id, alarm.state);
  element("alarm-news").textContent = t("alarms.news", { name: nameOf(alarm), state: named("state", alarm.state) });
}

/** The rule's name, or that of the rule that every project has. */
const nameOf = (alarm: Alarm): string => found(`alarm.name.${alarm.source}`) ?? alarm.name;

/** The server's sentence of a threshold holds the bound of that time: "TAG is VALUE, above LIMIT". */
function messageOf(alarm: Alarm): string {
  const bound = /, (above|below) (\S+)$/.exec(alarm.message);
  if (bound && alarm.tag && alarm.value !== null && Number.isFinite(Number(bound[2]))) {
    return found(`alarm.${bound[1]}`, { tag: alarm.tag, value: alarm.value, limit: figure(Number(bound[2])) }) ?? alarm.message;
  }
  return alarm.subject || alarm.message;
}
