// SPDX-License-Identifier: Apache-2.0
// What is known of the project that is shown, and how trouble is told.

import { AlarmRule, ApiError, EdgeNode, EdgeService, Scalar, Session, TagValue } from "./api";
import { element } from "./dom";
import { figure, found, reasonText, t } from "./language";

export const session = new Session();

export const site = {
  root: "", // "/api/v1/orgs/{org}/projects/{project}"
  nodes: new Map<string, EdgeNode>(),
  services: [] as EdgeService[],
  values: new Map<string, TagValue>(),
  rules: [] as AlarmRule[],
  events: new Set<string>(), // What this reader may hear.
};

export const currentService = () => site.services.find((service) => service.id === element<HTMLSelectElement>("service").value);
export const chosenTag = () => element<HTMLSelectElement>("tag").value;

/** A value as people read it. */
export function shown(value: Scalar): string {
  if (typeof value === "number") return figure(value);
  return typeof value === "boolean" ? found(`value.${value}`)! : (value ?? "–");
}

export function problem(error: unknown): string {
  if (error instanceof ApiError) return error.reason ? reasonText(error.reason, error.message, error.params) : t("failed", { status: error.status });
  return error instanceof TypeError ? t("unreachable") : String(error);
}

let said: (() => string) | undefined;
let sessionOver: () => void = () => undefined;

/** Say something above everything else, in whichever language is chosen; nothing clears it. */
export function say(what?: () => string): void {
  said = what;
  renderNotice();
}
export function renderNotice(): void {
  const notice = element("notice");
  notice.textContent = said?.() ?? "";
  notice.hidden = said === undefined;
}
export function complain(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) return sessionOver();
  say(() => problem(error));
}
export function onSessionOver(act: () => void): void { sessionOver = act; }
