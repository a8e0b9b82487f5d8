// SPDX-License-Identifier: Apache-2.0
// Light or dark: the system's, unless the reader chose. The colours themselves are in style.css.

import { keep, kept } from "./memory";

const memory = "ecp.theme";
const themes = ["auto", "light", "dark"];

export function firstTheme(): string {
  const before = kept(memory) ?? "";
  return themes.includes(before) ? before : "auto";
}

export function wear(theme: string, remember: boolean): void {
  document.documentElement.dataset["theme"] = theme;
  if (remember) keep(memory, theme);
}

/** Call `changed` whenever the system turns light or dark. */
export function onSystemTheme(changed: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

/** A colour of style.css as the canvas wants it, in the theme of the moment. */
export function color(name: string): string {
  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}
