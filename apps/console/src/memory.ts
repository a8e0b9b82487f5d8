// SPDX-License-Identifier: Apache-2.0
// What the browser remembers of the reader's wishes; a browser that may not remember does without.

export function kept(name: string): string | null {
  try { return localStorage.getItem(name); } catch { return null; }
}
export function keep(name: string, value: string): void {
  try { localStorage.setItem(name, value); } catch { /* Then it is forgotten with the tab. */ }
}
