// SPDX-License-Identifier: Apache-2.0
// The card of the set-point: write a value to a device and tell what the device says to it.

import { ApiError, Command, Scalar, Tag } from "./api";
import { element, options } from "./dom";
import { found, named, t, toldReason } from "./language";
import { complain, currentService, problem, session, shown, site } from "./site";

const pollMilliseconds = 500;
const waiting = new Map<string, (command: Command) => void>();
let told: { tone: string; words: () => string } = { tone: "", words: () => "" };

let writable = new Map<string, Tag>();

export function showWritable(tags: [string, Tag][]): void {
  writable = new Map(tags.filter(([, tag]) => tag.writable));
  options(element<HTMLSelectElement>("write-tag"), [...writable.keys()].map((path) => [path, path]));
  element("write").hidden = writable.size === 0;
  element("write-none").hidden = writable.size > 0;
  showRange();
}

/** What may be written to the chosen data tag. */
export function showRange(): void {
  const { min, max } = writable.get(element<HTMLSelectElement>("write-tag").value) ?? {};
  element("write-range").textContent = min === undefined || max === undefined ? "" : t("write.range", { min, max });
}

/** A command's state came as an event. */
export function commandChanged(command: Command): void {
  waiting.get(command.id)?.(command);
}

export async function write(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const service = currentService();
  if (!service) return;
  const value = entered(element<HTMLInputElement>("write-value").value.trim());
  tell("", () => t("write.running"));
  const begun = performance.now();
  const root = site.root; // Another project may be chosen before it ends.
  try {
    const command = await session.post<Command>(`${root}/edgeservices/${service.id}/writes`, { tag: element<HTMLSelectElement>("write-tag").value, value });
    const ended = await outcome(root, command);
    const ms = Math.round(performance.now() - begun);
    if (ended.state === "done") tell("good", () => t("write.done", { value: shown(ended.value ?? null), ms }));
    else tell("bad", () => t("write.failed", { state: named("state", ended.state), reason: ended.reason ? toldReason(ended.reason) : t("write.no_reason") }));
  } catch (error) {
    tell("bad", () => problem(error));
  }
}

export function renderWrite(): void {
  const result = element("write-result");
  result.className = told.tone;
  result.textContent = told.words();
}
function tell(tone: string, words: () => string): void {
  told = { tone, words };
  renderWrite();
}

/** What was typed: a truth value, a number, or a text. */
function entered(text: string): Scalar {
  for (const truth of [true, false]) {
    if (text === String(truth) || text === found(`value.${truth}`)) return truth;
  }
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** The command's end, by event or, should that have been missed, by asking. */
async function outcome(root: string, command: Command): Promise<Command> {
  if (command.state !== "pending") return command;
  return new Promise((resolve, reject) => {
    const stop = () => {
      waiting.delete(command.id);
      clearInterval(poll);
    };
    const finish = (ended: Command) => {
      if (ended.state === "pending") return;
      stop();
      resolve(ended);
    };
    const fail = (error: unknown) => {
      if (!(error instanceof ApiError) || ![401, 403, 404].includes(error.status)) return complain(error);
      stop(); // Asking again changes nothing.
      reject(error);
    };
    const poll = setInterval(() => {
      session.get<Command>(`${root}/commands/${command.id}`).then(finish).catch(fail);
    }, pollMilliseconds);
    waiting.set(command.id, finish);
  });
}
