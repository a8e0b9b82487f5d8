// SPDX-License-Identifier: Apache-2.0
// Light or dark: the system's, unless the reader chose. The colours themselves are in style.css.

import { keep, kept } from "./memory";

const memory = "ecp.theme";
const themes = ["auto", "light", "dark"];
const colors = new Map<string, string>(); // Of the theme of the moment, as the canvas wants them.

export function firstTheme(): string {
  const before = kept(memory) ?? "";
  return themes.includes(before) ? before : "auto";
}

export function wear(theme: string, remember: boolean): void {
  document.documentElement.dataset["theme"] = theme;
  colors.clear();
  if (remember) keep(memory, theme);
}

/** Call `changed` whenever the system turns light or dark. */
export function onSystemTheme(changed: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colors.clear();
    changed();
  });
}

/** A colour of style.css, resolved. */
export function color(name: string): string {
  const known = colors.get(name);
  if (known) return known;
  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  colors.set(name, resolved);
  return resolved;
}
