// SPDX-License-Identifier: Apache-2.0
// The newest entries of the project's audit log, as sentences.

import { AuditEntry } from "./api";
import { element, list, node, sentence } from "./dom";
import { found, moment, named, t, toldReason } from "./language";
import { session, site } from "./site";

const rows = 10;
const idLength = 8; // Of an id that has no name any more.
let entries: AuditEntry[] = [];

/** Read the log if the reader may; else there is no such card. */
export async function loadAudit(): Promise<void> {
  const allowed = site.events.has("audit");
  element("audit-card").hidden = !allowed;
  entries = [];
  if (allowed) entries = (await session.get<{ items: AuditEntry[] }>(`${site.root}/audit?limit=${rows}`)).items;
  renderAudit();
}

export function addAudit(entry: AuditEntry): void {
  if (entries.some((known) => known.id === entry.id)) return;
  entries = [entry, ...entries].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, rows);
  renderAudit(entry.id);
}

export function renderAudit(newest = ""): void {
  list("audit", entries.map((entry) => {
    const made = node("li", "", entry.id === newest ? "fresh" : "");
    made.append(sentenceOf(entry));
    if (entry.outcome !== "done") made.append(node("span", named("audit", entry.outcome), "pill bad"));
    const time = node("time", moment(entry.at));
    time.setAttribute("datetime", entry.at);
    made.append(time);
    return made;
  }), t("audit.none"));
}

function sentenceOf(entry: AuditEntry): HTMLElement {
  const values: Record<string, string> = { ...entry.details, operation: entry.operation, who: whoOf(entry) };
  for (const kind of ["state", "action", "role"]) {
    const word = values[kind];
    if (word !== undefined) values[kind] = named(kind, word);
  }
  if (values["reason"]) values["state"] = `${values["state"]} (${toldReason(values["reason"])})`;
  const built_in = found(`alarm.name.${entry.details["source"]}`);
  values["what"] = built_in ?? (named("action", entry.subject_name) || short(entry.subject_id));
  const template = found(`op.${entry.operation}`) ?? t("op.unknown");
  return sentence(template, values);
}

function whoOf(entry: AuditEntry): string {
  if (entry.principal_kind === "system") return t("audit.system");
  if (entry.principal_kind === "nobody") return t("audit.nobody");
  const name = entry.principal_name || short(entry.principal);
  return entry.principal_kind === "agent" ? t("audit.agent", { name }) : name;
}

const short = (id: string): string => (id ? `…${id.slice(-idLength)}` : "");
