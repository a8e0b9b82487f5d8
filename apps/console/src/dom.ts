// SPDX-License-Identifier: Apache-2.0
// The few things that every part does with elements. Text goes in as text, never as markup.

import { placeholder } from "./language";

export const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

export function node(tag: string, content: string, className = ""): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = content;
  if (className) made.className = className;
  return made;
}

/** Replace the entries of a select and keep what is chosen, if it is still there. */
/** Offer these; what was chosen before stays so, else what the reader chose another time. */
export function options(select: HTMLSelectElement, entries: [string, string][], wish: string | null = null): void {
  const chosen = select.value || wish;
  select.replaceChildren(...entries.map(([value, label]) => new Option(label, value)));
  if (chosen && entries.some(([value]) => value === chosen)) select.value = chosen;
}

/** One row of a list: what, in which state, and more in small. */
export function row(name: string, state: string, tone: string, small: string[]): HTMLElement {
  const made = document.createElement("li");
  const badge = node("span", state, `pill ${tone}`);
  made.append(node("span", name, "name"), badge, node("small", small.filter(Boolean).join(" · ")));
  return made;
}

export function list(id: string, rows: HTMLElement[], none: string): void {
  element(id).replaceChildren(...(rows.length ? rows : [node("li", none, "none")]));
}

/** A sentence whose values stand out. */
export function sentence(template: string, values: Record<string, string>): HTMLElement {
  const made = document.createElement("span");
  for (let rest = template; rest; ) {
    const hole = placeholder.exec(rest);
    if (!hole) { made.append(rest); break; }
    made.append(rest.slice(0, hole.index), node("b", values[hole[1]!] ?? ""));
    rest = rest.slice(hole.index + hole[0].length);
  }
  return made;
}
