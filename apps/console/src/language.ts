// SPDX-License-Identifier: Apache-2.0
// The language of the page: texts, numbers and times.

import { en, type Word } from "./words/en";
import { zh } from "./words/zh";
import { reasons } from "./words/reasons";
import { keep, kept } from "./memory";

export type Language = "en" | "zh";
export type Values = Record<string, string | number>;

const tables: Record<Language, Record<Word, string>> = { en, zh };
const memory = "ecp.language";

let language: Language = "en";
let number = new Intl.NumberFormat("en");
let clockTime = new Intl.DateTimeFormat("en");
let minutes = new Intl.DateTimeFormat("en");
let dayTime = new Intl.DateTimeFormat("en");

export const chosenLanguage = (): Language => language;

/** What the reader chose before, else what his browser asks for. */
export function firstLanguage(): Language {
  const before = kept(memory);
  if (before === "en" || before === "zh") return before;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export function speak(wanted: Language, remember: boolean): void {
  language = wanted;
  if (remember) keep(memory, wanted);
  // A British reader gets British dates; a reader of another language the usual ones.
  const locale = navigator.language.toLowerCase().startsWith(wanted) ? navigator.language : wanted === "zh" ? "zh-CN" : "en";
  number = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  clockTime = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
  minutes = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  dayTime = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "medium" });
  document.documentElement.lang = wanted === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  for (const place of document.querySelectorAll<HTMLElement>("[data-text]")) place.textContent = t(place.dataset["text"] as Word);
  for (const place of document.querySelectorAll<HTMLElement>("[data-label]")) place.setAttribute("aria-label", t(place.dataset["label"] as Word));
}

/** A text of the page. */
export const t = (word: Word, values: Values = {}): string => fill(tables[language][word], values);

/** A text whose key is put together from what the server says; undefined when there is none. */
export function found(key: string, values: Values = {}): string | undefined {
  const text = (tables[language] as Record<string, string | undefined>)[key];
  return text === undefined ? undefined : fill(text, values);
}
/** The word for one of the server's own words: t("state.online"), or what it said. */
export const named = (kind: string, word: string): string => found(`${kind}.${word}`) ?? word;

/** What a reason of the server means. English is what it speaks itself; `said` also serves where there are no words. */
export function reasonText(symbol: string, said: string, values: Values = {}): string {
  const text = reasons[language][symbol];
  return text === undefined || (language === "en" && said) ? said || symbol : fill(text, values);
}
/** The same for "SYMBOL: words", as commands have it. */
export function toldReason(told: string): string {
  const parts = /^(\w+\.\w+)(?:: (.*))?$/s.exec(told);
  return parts ? reasonText(parts[1]!, parts[2] ?? "") : told;
}

export const placeholder = /\{(\w+)\}/;

function fill(text: string, values: Values): string {
  return text.replace(new RegExp(placeholder, "g"), (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number.format(value) : value;
  });
}

export const figure = (value: number): string => number.format(value);
export const secondOf = (time: number): string => clockTime.format(time * 1000);
export const minuteOf = (seconds: number): string => minutes.format(seconds * 1000);

/** Time of day, and the day unless it is today. */
export function moment(time: string | number): string {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return (today ? clockTime : dayTime).format(date);
}
